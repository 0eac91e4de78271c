"""The tracking store while it is away, locked or damaged."""

import contextlib
import io
import os
import socket
import sqlite3
import threading
import time
from typing import NamedTuple

import pytest

from tests.disks import small_disk
from tests.tracking.projects import SECRET, status, tracker_in
from tripletlab.cli import main
from tripletlab.errors import InputError
from tripletlab.system.databases import sqlite_file
from tripletlab.tracking import new_database, store


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(store, "NOTICE", 0.2)
    monkeypatch.setattr(store, "PAUSE", 0.1)
    monkeypatch.setattr(store, "OPENING", 0.3)


def test_a_run_waits_for_a_locked_database_and_keeps_its_metrics(finished, impatient, capfd):
    project, _ = finished
    tracker = tracker_in(project / "mlruns")
    tracker.open()
    with tracker.run("two", params={}, tags={}) as run:
        other = sqlite3.connect(project / "mlruns" / "mlflow.db", check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        run.metrics({"loss": 0.25}, step=1)  # the training goes on meanwhile
        threading.Timer(1.5, other.rollback).start()  # and its end waits
    assert tracker.runs.history(run.run_id, "loss") == [(1, 0.25)]
    said = " ".join(capfd.readouterr().err.split())
    assert "waiting for the tracking store" in said
    assert "the tracking store is back" in said


def test_a_wait_is_shown_while_notes_are_discarded(impatient, capsys):
    def work():
        with contextlib.redirect_stderr(io.StringIO()):
            time.sleep(0.6)

    store.patiently(work)
    said = capsys.readouterr().err
    assert 0 <= said.find("waiting for the tracking store") < said.find("is back")


def test_a_new_store_that_takes_long_is_not_called_away(
    impatient, tables_made_anew, tmp_path, monkeypatch, capsys
):
    """On a slow machine the tables of the first run took longer than the notice waits."""
    calls = iter((0.6, 0.6))
    monkeypatch.setattr(store, "_connect", lambda uri: None)
    monkeypatch.setattr(store, "mlflow_client", lambda uri=None: SlowClient(next(calls), uri))
    new_database.make(f"sqlite:///{tmp_path / 'mlflow.db'}")
    said = " ".join(capsys.readouterr().err.split())
    assert "its tables are being made" in said
    assert said.endswith("the tracking store is ready")
    store.check(f"sqlite:///{tmp_path / 'mlflow.db'}")
    said = " ".join(capsys.readouterr().err.split())
    assert "it is slow, locked, full or away" in said


class SlowClient(NamedTuple):
    seconds: float
    uri: str | None

    def search_experiments(self, *, max_results):
        time.sleep(self.seconds)
        if self.uri:
            sqlite_file(self.uri).touch()


def test_a_call_is_repeated_until_the_store_is_free(finished, impatient):
    import sqlalchemy

    project, _ = finished
    tracker_in(project / "mlruns").open()
    database = project / "mlruns" / "mlflow.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{database}", connect_args={"timeout": 0.05})
    other = sqlite3.connect(database, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    tries = []

    def count():
        tries.append(1)
        with engine.connect() as connection:
            return connection.execute(sqlalchemy.text("SELECT count(*) FROM runs")).scalar()

    with pytest.raises(InputError, match="another process has locked it"):
        store.patiently(count, limit=0.3)
    threading.Timer(0.5, other.rollback).start()
    tries.clear()
    assert store.patiently(count) == 1
    assert len(tries) > 2


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_run_outlives_a_lock_that_mlflow_does_not(finished):
    """MLflow itself waits for 20 seconds."""
    project, _ = finished
    tracker = tracker_in(project / "mlruns")
    tracker.open()
    with tracker.run("two", params={}, tags={}) as run:
        other = sqlite3.connect(project / "mlruns" / "mlflow.db", check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(23, other.rollback).start()
        run.metrics({"loss": 0.25}, step=1)
    assert tracker.runs.history(run.run_id, "loss") == [(1, 0.25)]


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def junk(database):
    database.write_bytes(b"no database at all" * 100)


def cut(database):
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(len(database.read_bytes()) - 4096))


@pytest.mark.parametrize(("damage", "said"), [(junk, "no SQLite database"), (cut, "damaged")])
def test_a_damaged_database_is_one_line(damage, said, finished):
    project, _ = finished
    damage(project / "mlruns" / "mlflow.db")
    with pytest.raises(InputError, match=said) as error:
        tracker_in(project / "mlruns").open_existing()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (f"http://ann:{SECRET}@127.0.0.1:PORT", "no MLflow server answers"),
        (f"mssql+pymssql://ann:{SECRET}@127.0.0.1/x", "driver is not installed"),
        (f"nonsense://ann:{SECRET}@x", "not the URL of a database"),
    ],
)
def test_a_store_that_cannot_be_reached_is_one_line_without_its_password(
    uri, said, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    uri = uri.replace("PORT", str(closed_port()))
    assert main(["compare", "champion", "1", f'tracking.uri="{uri}"']) == 2
    shown = capfd.readouterr()
    assert said in shown.err
    assert "ann" in shown.err or "127.0.0.1" in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert SECRET not in shown.err + shown.out
    for variable in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.delenv(variable, raising=False)
        os.environ.pop(variable, None)


def test_files_that_do_not_fit_on_the_disk_wait_for_room(tmp_path, impatient, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "large.bin").write_bytes(bytes(5_000_000))
    with small_disk(tmp_path / "disk") as sized:
        tracker = tracker_in(sized("4m"))
        tracker.open()
        with tracker.run("one", params={}, tags={}) as run:
            room = threading.Timer(2, sized, ["20m"])
            room.start()
            run.files(tmp_path / "out")
            room.join()
        assert "it is slow, locked, full or away" in " ".join(capsys.readouterr().err.split())
        assert status(run.run_id) == "FINISHED"
        kept = tracker.runs.artifact(run.run_id, "large.bin")
        assert kept.stat().st_size == 5_000_000
