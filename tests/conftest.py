"""The longest files come first; a worker that crashes ends the whole run."""

import functools

import pytest
from hypothesis import settings

from tripletlab.tracking import new_database

settings.register_profile("any machine", deadline=None)  # a busy one is slow, not wrong
settings.load_profile("any machine")
LONGEST = ("test_sweep.py", "test_run.py", "test_target_evaluation.py", "test_window.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A worker that begins a long file last would keep all others waiting."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_handlecrashitem(crashitem: str) -> None:
    """Else others would wait for it, or its end be overlooked."""
    pytest.exit(f"a worker crashed in {crashitem}", returncode=1)


@pytest.fixture(autouse=True, scope="session")
def _tables_are_made_once():
    """MLflow makes them in dozens of steps; a test's database begins as a copy of the first."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(new_database.empty_database)
        patch.setattr(new_database, "empty_database", once)
        yield
