"""The database of studies: absent, damaged, or of another program."""

import re
import sqlite3

import pytest

from tests.sweeping.studies import open_study
from tripletlab.cli import main
from tripletlab.errors import InputError
from tripletlab.sweeping.storage import open_storage
from tripletlab.sweeping.study import SPACE


def test_a_database_that_cannot_be_opened_is_one_line_without_its_password():
    with pytest.raises(InputError, match="cannot be opened") as refused:
        open_storage("postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(refused.value)


def junk(database):
    database.write_bytes(bytes(range(256)) * 100)


def overwrite_pages(database):
    open_study(database.parent)
    content = bytearray(database.read_bytes())
    content[-8192:] = bytes(range(256)) * 32
    database.write_bytes(content)


def create_tables_of_another_program(database):
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE studies (x)")


def change_space(database):
    open_study(database.parent)
    with sqlite3.connect(database) as connection:
        changed = "UPDATE study_user_attributes SET value_json = '\"{}\"' WHERE key = ?"
        connection.execute(changed, [SPACE])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (junk, "file is not a database"),
        (overwrite_pages, "damaged|malformed"),
        (create_tables_of_another_program, "no such column"),
        (change_space, "another version of tripletlab"),
    ],
)
def test_a_database_that_cannot_be_read_is_one_line(damage, reason, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    damage(tmp_path / "mlruns" / "optuna.db")
    assert main(["sweep", "status"]) == 2
    assert_one_line(capfd.readouterr().err, reason)


def test_junk_in_place_of_the_tracking_database_is_one_line(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    open_study(tmp_path / "mlruns")
    junk(tmp_path / "mlruns" / "mlflow.db")
    assert main(["report"]) == 2
    assert_one_line(capfd.readouterr().err, "no SQLite database")


def assert_one_line(err, reason):
    assert err.startswith("tripletlab: ")
    assert err.count("\n") == 1
    assert re.search(reason, err)
