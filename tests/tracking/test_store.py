"""The tracking store when it is away, locked, damaged, elsewhere or read-only."""

import ctypes
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
import mlflow
import pytest
from mlflow import MlflowClient

from tripletlab.cli import main
from tripletlab.errors import InputError
from tripletlab.tracking import store
from tripletlab.tracking.runs import Tracker

SECRET = "s3cr3t"


def tracker_in(folder, uri=None):
    return Tracker(str(folder), "test", uri or f"sqlite:///{folder / 'mlflow.db'}")


@pytest.fixture
def finished(tmp_path):
    """A project with one run that has a file, and the run's id."""
    tracker = tracker_in(tmp_path / "project" / "mlruns")
    tracker.open()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "card.json").write_text("{}")
    with tracker.run("one", params={"uri": f"http://a:{SECRET}@b"}, tags={"at": SECRET}) as run:
        run.metrics({"auc": 0.5})
        run.files(tmp_path / "out")
    return tmp_path / "project", run.run_id


def listing(folder):
    return {str(one): (one.stat().st_mtime_ns, one.stat().st_size) for one in folder.rglob("*")}


@pytest.mark.parametrize("how", ["copied", "moved"])
def test_a_project_elsewhere_works_from_where_it_is(how, finished, tmp_path):
    project, run_id = finished
    other = tmp_path / "other"
    before = listing(project)
    (shutil.copytree if how == "copied" else shutil.move)(project, other)
    tracker = tracker_in(other / "mlruns")
    tracker.open_existing()
    assert tracker.artifact(run_id, "card.json").read_text() == "{}"
    (tmp_path / "out" / "later.json").write_text("{}")
    with tracker.run("one", params={}, tags={}, resume=run_id) as again:
        again.files(tmp_path / "out")
    with tracker.run("two", params={}, tags={}) as new:
        new.files(tmp_path / "out")
    assert {"later.json", "card.json"} == {
        path.name for path in (other / "mlruns" / "artifacts" / run_id).rglob("*.json")
    }
    assert (other / "mlruns" / "artifacts" / new.run_id).is_dir()
    if how == "copied":
        assert listing(project) == before
    else:
        assert not project.exists()


def test_a_database_that_keeps_its_files_elsewhere_is_refused(finished, tmp_path):
    project, _ = finished
    before = listing(tmp_path)
    with pytest.raises(InputError, match=f"tracking.folder={project}/mlruns"):
        tracker_in(tmp_path / "else", f"sqlite:///{project}/mlruns/mlflow.db").open_existing()
    assert listing(tmp_path) == before


def test_paths_are_not_changed_under_a_run_at_work(finished, tmp_path):
    project, _ = finished
    tracker = tracker_in(project / "mlruns")
    with tracker.run("two", params={}, tags={}):
        project.rename(tmp_path / "moved")
        with pytest.raises(InputError, match="a run is at work"):
            tracker_in(tmp_path / "moved" / "mlruns").open_existing()
        (tmp_path / "moved").rename(project)


def without_override():
    """Root obeys the permissions of files in this process."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; in vain where there is none


READ = """
import sys
from tripletlab.tracking import registry
from tripletlab.errors import InputError
from tripletlab.tracking.runs import Tracker
tracker = Tracker("mlruns", "test", "sqlite:///mlruns/mlflow.db")
try:
    tracker.open()
except InputError as error:
    print(error)
tracker.open_existing()
print(tracker.artifact(sys.argv[1], "card.json").read_text(), tracker.writable)
print(registry.load(registry.find("1", uri=tracker.uri)).output_shape)
"""


def test_a_read_only_folder_is_read_and_not_written(finished):
    project, run_id = finished
    tracker = tracker_in(project / "mlruns")
    with tracker.run("one", params={}, tags={}, resume=run_id) as again:
        embedder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        again.model(embedder, registered_as="model")
    mlflow.keras.load_model("models:/model/1")  # leaves a note beside the model's files
    before = listing(project)
    places = [project / "mlruns", *(project / "mlruns").rglob("*")]
    for place in places:
        place.chmod(0o555)
    command = [sys.executable, "-c", READ, run_id]
    run = subprocess.run(
        command, cwd=project, capture_output=True, text=True, preexec_fn=without_override
    )
    for place in places:
        place.chmod(0o755)
    assert run.stdout.splitlines() == [
        "tracking.folder=mlruns is read-only: runs are kept there",
        "{} False",
        "(None, 3)",
    ], run.stderr
    assert listing(project) == before


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(store, "NOTICE", 0.2)
    monkeypatch.setattr(store, "PAUSE", 0.1)
    monkeypatch.setattr(store, "OPENING", 0.3)


def test_a_run_waits_for_a_locked_database_and_keeps_what_was_measured(
    finished, impatient, capfd, monkeypatch
):
    project, _ = finished
    tracker = tracker_in(project / "mlruns")
    tracker.open()
    with tracker.run("two", params={}, tags={}) as run:
        other = sqlite3.connect(project / "mlruns" / "mlflow.db", check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(1.5, other.rollback).start()
        began = time.monotonic()
        run.metrics({"loss": 0.25}, step=1)
        assert time.monotonic() - began > 1
    assert tracker.history(run.run_id, "loss") == [(1, 0.25)]
    said = " ".join(capfd.readouterr().err.split())
    assert "waiting for the tracking store" in said
    assert "the tracking store is back" in said


def test_work_is_done_again_until_the_store_lets_it(finished, impatient):
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
def test_a_run_outlives_a_lock_of_half_a_minute(finished):
    project, _ = finished
    tracker = tracker_in(project / "mlruns")
    tracker.open()
    with tracker.run("two", params={}, tags={}) as run:
        other = sqlite3.connect(project / "mlruns" / "mlflow.db", check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(30, other.rollback).start()
        run.metrics({"loss": 0.25}, step=1)
    assert tracker.history(run.run_id, "loss") == [(1, 0.25)]


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
def test_a_store_that_cannot_be_had_is_one_line_without_its_password(
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


def test_no_secret_is_logged(finished):
    project, run_id = finished
    assert MlflowClient().get_run(run_id).data.params == {"uri": "http://a:***@b"}
    assert f":{SECRET}@".encode() not in (project / "mlruns" / "mlflow.db").read_bytes()


READING = [
    ["compare", "champion", "1"],
    ["evaluate", "champion"],
    ["identify", "champion"],
    ["export", "champion", "bundle"],
    ["suspects", "champion"],
    ["serve"],
    ["ui"],
    ["report"],
    ["sweep", "status"],
]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_command_in_another_folder_names_it_and_makes_nothing(
    words, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert str(tmp_path / "mlruns") in "".join(capfd.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_pages_on_a_taken_port_are_refused(finished, monkeypatch, capfd):
    project, _ = finished
    monkeypatch.chdir(project)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["ui", "--port", port, "tracking.experiment=test"]) == 2
    assert f"--port {port}: Address already in use" in capfd.readouterr().err


def test_reading_leaves_no_temporary_files(finished, tmp_path, monkeypatch):
    project, _ = finished
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(project)
    live = sorted((project / "mlruns" / "live").iterdir())
    assert main(["compare", "champion", "1", "tracking.experiment=test"]) == 2
    assert list((tmp_path / "temporary").iterdir()) == []
    assert sorted((project / "mlruns" / "live").iterdir()) == live
    assert Path(project / "mlruns" / "mlflow.db").is_file()
