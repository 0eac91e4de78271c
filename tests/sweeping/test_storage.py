"""The database of studies."""

import pytest

from tripletlab.errors import InputError
from tripletlab.sweeping.storage import open_storage


def test_a_database_that_cannot_be_opened_is_one_line_without_its_password():
    with pytest.raises(InputError, match="cannot be opened") as refused:
        open_storage("postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(refused.value)
