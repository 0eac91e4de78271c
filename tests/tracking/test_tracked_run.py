"""What a run logs, in a real SQLite database."""

import contextlib
import sqlite3
import subprocess
import sys

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from requests.exceptions import ChunkedEncodingError
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.tracking.projects import SECRET, status
from tripletlab.tracking import store


def test_a_run_keeps_params_metrics_tags_and_files(tracker, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "roc.png").write_bytes(b"picture")
    with (
        tracker.run("parent", params={}, tags={}) as parent,
        tracker.run("one", params={"margin": 0.2}, tags={"a": "b"}, parent=parent.run_id) as run,
    ):
        run.metrics({"loss": 0.5}, step=1)
        run.metrics({"loss": 0.25}, step=2)
        run.files(tmp_path / "out")
        assert status(run.run_id) == "RUNNING"
    data = MlflowClient().get_run(run.run_id).data
    assert data.params == {"margin": "0.2"}
    assert data.tags["a"] == "b"
    assert data.tags["mlflow.parentRunId"] == parent.run_id
    assert "git_commit" in data.tags
    assert data.metrics == {"loss": 0.25}
    history = MlflowClient().get_metric_history(run.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 0.5), (2, 0.25)]
    assert tracker.runs.artifact(run.run_id, "roc.png").read_bytes() == b"picture"
    assert {status(one.run_id) for one in (parent, run)} == {"FINISHED"}


def test_a_run_records_the_files_of_faces_as_inputs(tracker, tmp_path):
    (tmp_path / "faces.json").write_text('{"faces_kept": 9}')
    with tracker.run("one", params={}, tags={}) as run:
        for role in ("training", "verification"):
            run.dataset(tmp_path / "faces.h5", title=role, fingerprint="ab" * 32, role=role)
    inputs = MlflowClient().get_run(run.run_id).inputs.dataset_inputs
    assert {(one.dataset.name, one.tags[0].value) for one in inputs} == {
        ("training", "training"),
        ("verification", "verification"),
    }
    assert inputs[0].dataset.digest == "ab" * 16
    assert inputs[0].dataset.profile == '{"faces_kept": 9}'
    assert str(tmp_path / "faces.h5") in inputs[0].dataset.source


def test_the_names_of_many_folders_are_cut_to_what_mlflow_keeps(tracker, tmp_path):
    title = "photos: " + " + ".join(f"folder {number}" for number in range(100))
    with tracker.run(title, params={}, tags={}) as run:
        run.dataset(tmp_path / "faces.h5", title=title, fingerprint="ab" * 32, role="training")
    found = MlflowClient().get_run(run.run_id)
    assert found.info.run_name == title[:250]
    assert found.inputs.dataset_inputs[0].dataset.name == title[:500]


def test_two_workers_record_the_same_file_at_once(tracker, tmp_path):
    """Another connection writes it between the moment in which MLflow reads, and its insertion."""
    database = tmp_path / "mlflow.db"
    row = "insert into datasets values ('other', (select max(experiment_id) from experiments),"
    row += f" 'faces', '{'ab' * 16}', 'local', '', null, null)"
    inserted = []

    def insert(session, *_):
        if not inserted and any(type(one).__name__ == "SqlDataset" for one in session.new):
            inserted.append(row)
            with contextlib.closing(sqlite3.connect(database)) as other, other:
                other.execute(row)

    with tracker.run("one", params={}, tags={}) as run:
        event.listen(Session, "before_flush", insert)
        try:
            file = tmp_path / "faces.h5"
            run.dataset(file, title="faces", fingerprint="ab" * 32, role="training")
        finally:
            event.remove(Session, "before_flush", insert)
    (found,) = MlflowClient().get_run(run.run_id).inputs.dataset_inputs
    assert (inserted, found.dataset.digest) == ([row], "ab" * 16)


CONVERTED = """
import os, signal, sys
from tripletlab.system.interrupts import stop
from tripletlab.tracking import Tracker

signal.signal(signal.SIGTERM, stop)
tracker = Tracker(folder="mlruns", experiment="a", uri="sqlite:///mlruns/mlflow.db")
tracker.open()
with tracker.run("one", params={}, tags={}) as run:
    print(run.run_id)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(10**9): pass
    except KeyboardInterrupt as error:
        raise ValueError("as a library may put it") from error
"""


def test_a_run_that_was_stopped_is_killed_whatever_a_library_makes_of_it(tmp_path):
    (tmp_path / "mlruns").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CONVERTED], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.stderr.endswith("ValueError: as a library may put it\n")
    uri = f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}"
    assert MlflowClient(uri).get_run(done.stdout.split()[-1]).info.status == "KILLED"


def test_no_secret_is_logged(finished):
    project, run_id = finished
    assert MlflowClient().get_run(run_id).data.params == {"uri": "http://a:***@b"}
    assert f":{SECRET}@".encode() not in (project / "mlruns" / "mlflow.db").read_bytes()


def test_commands_that_only_read_runs_do_not_pay_for_opencv():
    code = "import sys, tripletlab.tracking; sys.exit('cv2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("created", [False, True])
def test_a_server_that_breaks_off_while_a_run_begins_has_one_run(tracker, monkeypatch, created):
    """Its answer is lost: the run may be there already, or not."""
    create, broken = MlflowClient.create_run, []

    def breaks_off(self, *args, **known):
        if not broken:
            broken.append(create(self, *args, **known) if created else None)
            try:
                raise ChunkedEncodingError("Connection broken: IncompleteRead")
            except ChunkedEncodingError as error:  # as MLflow does
                raise MlflowException(f"API request failed with exception {error}")  # noqa: B904
        return create(self, *args, **known)

    monkeypatch.setattr(MlflowClient, "create_run", breaks_off)
    monkeypatch.setattr(store, "PAUSE", 0.1)
    with (
        tracker.run("parent", params={}, tags={}) as parent,
        tracker.run("one", params={"margin": 0.2}, tags={}, parent=parent.run_id) as run,
    ):
        pass
    runs = mlflow.search_runs(output_format="list")
    assert {one.info.run_id for one in runs} == {parent.run_id, run.run_id}
    assert {one.info.status for one in runs} == {"FINISHED"}
    assert not created or parent.run_id == broken[0].info.run_id
