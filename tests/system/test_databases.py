"""Copies of SQLite databases, to read."""

import sqlite3
from contextlib import closing

import pytest

from tripletlab.errors import InputError
from tripletlab.system.databases import temporary_copy


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "a ?#.db"  # what a URI has to escape
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table runs (name)")
        connection.execute("insert into runs values ('one')")
    return path


def test_a_copy_has_the_rows_and_the_original_stays_as_it_is(database):
    before = database.read_bytes()
    copy = temporary_copy(database)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("insert into runs values ('two')")
        assert connection.execute("select count(*) from runs").fetchone() == (2,)
    assert database.read_bytes() == before
    assert copy.parent != database.parent


def test_a_damaged_database_is_one_line(database):
    database.write_bytes(b"no database at all" * 100)
    with pytest.raises(InputError, match=r"a \?#\.db: cannot be read \(file is not a database\)"):
        temporary_copy(database)
