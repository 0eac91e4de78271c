import pytest

from tests.stores import make_store


@pytest.fixture
def store():
    return make_store(entries=12, photos=6)
