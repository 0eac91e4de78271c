"""The door to MLflow, against a real SQLite database."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from mlflow import MlflowClient

from tripletlab.tracking.runs import CHAMPION, Tracker


@pytest.fixture
def tracker(tmp_path):
    made = Tracker(str(tmp_path), "test", f"sqlite:///{tmp_path / 'mlflow.db'}")
    made.open()
    return made


def status(run_id):
    return MlflowClient().get_run(run_id).info.status


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
    assert tracker.artifact(run.run_id, "roc.png").read_bytes() == b"picture"
    assert {status(one.run_id) for one in (parent, run)} == {"FINISHED"}


def test_the_environment_sends_no_run_elsewhere(tracker, tmp_path, monkeypatch):
    with tracker.run("other", params={}, tags={}) as other:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", other.run_id)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    tracker.open()
    with tracker.run("one", params={}, tags={}) as run:
        embedder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        run.model(embedder, registered_as="own")
    assert run.run_id != other.run_id
    assert not (tmp_path / "elsewhere.db").exists()
    here = MlflowClient(tracker.uri, registry_uri=tracker.uri)
    assert here.search_model_versions("name = 'own'")[0].run_id == run.run_id


def test_a_run_names_the_faces_that_it_saw(tracker, tmp_path):
    (tmp_path / "faces.json").write_text('{"faces_kept": 9}')
    with tracker.run("one", params={}, tags={}) as run:
        for role in ("training", "verification"):
            run.dataset(tmp_path / "faces.h5", title=role, fingerprint="ab" * 32, role=role)
    seen = MlflowClient().get_run(run.run_id).inputs.dataset_inputs
    assert {(one.dataset.name, one.tags[0].value) for one in seen} == {
        ("training", "training"),
        ("verification", "verification"),
    }
    assert seen[0].dataset.digest == "ab" * 16
    assert seen[0].dataset.profile == '{"faces_kept": 9}'
    assert str(tmp_path / "faces.h5") in seen[0].dataset.source


@pytest.mark.parametrize(("error", "ends"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_run_that_is_cut_off_says_so(tracker, error, ends):
    with pytest.raises(error), tracker.run("one", params={}, tags={}) as run:
        raise error
    assert status(run.run_id) == ends


def test_a_run_can_be_continued(tracker):
    with pytest.raises(KeyboardInterrupt), tracker.run("one", params={}, tags={}) as run:
        raise KeyboardInterrupt
    with tracker.run("one", params={}, tags={}, resume=run.run_id) as again:
        assert again.run_id == run.run_id
        assert status(run.run_id) == "RUNNING"
    assert status(run.run_id) == "FINISHED"


BEGIN_AND_WAIT = """
import sys, time
from tripletlab.tracking.runs import Tracker
tracker = Tracker(sys.argv[1], "test", sys.argv[2])
tracker.open()
with tracker.run("one", params={}, tags={}) as run:
    print(run.run_id, flush=True)
    time.sleep(600)
"""


def test_the_run_of_a_killed_process_is_closed_and_that_of_a_live_one_is_not(tracker):
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN_AND_WAIT, tracker.folder, tracker.uri],
        stdout=subprocess.PIPE,
        text=True,
    )
    run_id = process.stdout.readline().strip()
    tracker.open()
    assert status(run_id) == "RUNNING"
    process.kill()
    process.wait()
    assert status(run_id) == "RUNNING"
    tracker.open()
    assert status(run_id) == "KILLED"


def register(tracker, score, *, name="model"):
    embedder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    with tracker.run("one", params={}, tags={}) as run:
        run.metrics({"auc": score})
        run.model(embedder, registered_as=name)
    return run.run_id


def champion(name="model"):
    return MlflowClient().get_model_version_by_alias(name, CHAMPION).run_id


def test_only_a_better_run_dethrones_the_champion_of_its_own_model(tracker):
    middling, worse, better = (register(tracker, score) for score in (0.8, 0.7, 0.9))
    elsewhere = register(tracker, 0.99, name="other")
    assert tracker.promote("model", run_id=middling, metric="auc")
    assert not tracker.promote("model", run_id=worse, metric="auc")
    assert champion() == middling
    assert tracker.promote("model", run_id=better, metric="auc")
    assert tracker.promote("model", run_id=better, metric="auc")
    assert champion() == better
    assert tracker.promote("other", run_id=elsewhere, metric="auc")
    assert champion() == better


def test_the_champion_is_loaded_with_its_signature(tracker):
    import mlflow

    run_id = register(tracker, 0.8)
    tracker.promote("model", run_id=run_id, metric="auc")
    model = mlflow.pyfunc.load_model(f"models:/model@{CHAMPION}")
    assert model.metadata.signature.inputs.inputs[0].shape == (-1, 2)
    assert np.asarray(model.predict(np.ones((4, 2), np.float32))).shape == (4, 3)
