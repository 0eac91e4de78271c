"""Where runs are kept: opened, read and written, in a real SQLite database."""

import ctypes
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from tests.tracking.projects import FACES, NAME, listing, network, status, tracker_in
from tripletlab.cli import main


def test_the_environment_sends_no_run_elsewhere(tracker, tmp_path, monkeypatch):
    with tracker.run("other", params={}, tags={}) as other:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", other.run_id)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    tracker.open()
    with tracker.run("one", params={}, tags=FACES) as run:
        run.model(network())
    tracker.models.register(run.run_id)
    assert run.run_id != other.run_id
    assert not (tmp_path / "elsewhere.db").exists()
    here = MlflowClient(tracker.uri, registry_uri=tracker.uri)
    assert here.search_model_versions()[0].run_id == run.run_id


@pytest.mark.parametrize(("error", "ends"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_an_interrupted_run_is_not_finished(tracker, error, ends):
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


def without_override():
    """Root obeys the permissions of files in this process."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; in vain where there is none


READ = """
import sys
from tripletlab.errors import InputError
from tripletlab.tracking.tracker import Tracker
tracker = Tracker("mlruns", "test", "sqlite:///mlruns/mlflow.db")
try:
    tracker.open()
except InputError as error:
    print(error)
tracker.open_existing()
print(tracker.runs.artifact(sys.argv[1], "card.json").read_text(), tracker.writable)
print(tracker.models.load(tracker.models.find("1")).output_shape)
"""


def test_a_read_only_folder_is_read_and_not_written(finished):
    project, run_id = finished
    tracker = tracker_in(project / "mlruns")
    with tracker.run("one", params={}, tags=FACES, resume=run_id) as again:
        again.model(network())
    tracker.models.register(run_id)
    mlflow.keras.load_model(f"models:/{NAME}/1")  # leaves a note beside the model's files
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
