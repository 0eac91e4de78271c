"""The database of studies: absent, damaged, or of another program."""

import re
import sqlite3

import pytest
from sqlalchemy import event

from tests.sweeping.studies import finish, open_study
from tripletlab.cli import main
from tripletlab.errors import InputError
from tripletlab.sweeping.storage import first_starts, open_storage, outlines
from tripletlab.sweeping.study import POINT, RUN, SEED, SPACE, Study, last_attempts


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


def counted(engine, work):
    """What `work` returns, and the number of queries that it takes."""
    statements = []

    def listen(*_):
        statements.append(1)

    event.listen(engine, "before_cursor_execute", listen)
    try:
        return work(), len(statements)
    finally:
        event.remove(engine, "before_cursor_execute", listen)


def test_outlines_are_what_optuna_reads_of_the_trials_in_one_query(tmp_path):
    for name, ended in (("first", 0), ("second", 2), ("third", 1)):
        queue = open_study(tmp_path, name=name)
        for _ in range(ended):
            finish(queue, queue.take())
    queue.fail(queue.take().number, "an error")
    queue = open_study(tmp_path, name="third")  # the failed trial waits once more
    storage = queue.storage
    found, queries = counted(storage.engine, lambda: outlines(storage, POINT, SEED, RUN))
    assert queries == 1
    for name in ("first", "second", "third"):
        study = Study.load(storage, name)
        trials = study.study.get_trials(deepcopy=False)
        assert [(one.number, one.state) for one in found[name]] == [
            (one.number, one.state) for one in trials
        ]
        for outline, trial in zip(found[name], trials, strict=True):
            kept = {POINT, SEED, RUN} & trial.user_attrs.keys()
            assert outline.user_attrs == {key: trial.user_attrs[key] for key in kept}
        assert [one.number for one in last_attempts(found[name])] == [
            one.number for one in study.latest()
        ]
        starts = [f"{one.datetime_start:%F %R}" for one in trials if one.datetime_start]
        assert first_starts(storage)[name][:16] == min(starts, default="")


def test_the_latest_sweep_is_found_without_reading_the_trials_of_the_others(tmp_path):
    queue = open_study(tmp_path, name="b-00000000")
    finish(queue, queue.take())
    last = open_study(tmp_path, name="a-00000000")
    finish(last, last.take())
    found, queries = counted(last.storage.engine, lambda: Study.find(last.storage, None))
    assert found.name == "a-00000000"
    for number in range(3):
        open_study(tmp_path, name=f"c{number}-00000000")
    found, more = counted(last.storage.engine, lambda: Study.find(last.storage, None))
    assert (found.name, more) == ("a-00000000", queries)
