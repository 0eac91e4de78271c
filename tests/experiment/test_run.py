"""A real `tripletlab train`: killed, copied, on a full disk, with secrets in its config."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml
from mlflow import MlflowClient

from tests.disks import small_disk
from tests.stores import SMALL
from tripletlab.config import compose
from tripletlab.experiment.data import Data
from tripletlab.experiment.run import _log_inputs, _say_next
from tripletlab.faces.store import FaceStore, PairStore
from tripletlab.system.temporary_files import LOCK, YOUNG

pytestmark = pytest.mark.timeout(900)

LONG = ["batches.steps=20", "fit.epochs=3"]  # epochs that a process can be killed in
TIMED = ("seconds", "per_second", "run")
PAIRS = [one for one in SMALL if one.startswith("verification")]
SECRET = "s3cr3t"


def start(folder, *words, **environment):
    """The command in a process of its own, its output in files: workers may outlive it."""
    command = [sys.executable, "-m", "tripletlab", *words]
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        return subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=err, env=os.environ | environment
        )


def done(folder, *words, **environment):
    """The lines of stderr from `tripletlab` itself, and the exit status."""
    code = start(folder, *words, **environment).wait()
    said = (folder / "err").read_text()
    assert "Traceback" not in said
    return [line for line in said.splitlines() if line.startswith("tripletlab:")], code


def figures(folder):
    lines = [line.split("\t") for line in (folder / "out").read_text().splitlines()]
    return {name: value for name, value in lines if not name.endswith(TIMED)}


def runs(folder):
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("tripletlab").experiment_id])
    return {run.info.run_id: run.info.status for run in found}


def listing(folder):
    return {one: (one.stat().st_mtime_ns, one.stat().st_size) for one in folder.rglob("*")}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder in which the training has run from beginning to end."""
    folder = tmp_path_factory.mktemp("project")
    assert done(folder, "train", *SMALL, *LONG) == ([], 0)
    return folder


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk") as sized:
        yield sized


@pytest.mark.slow
def test_a_training_that_was_killed_continues_after_its_last_epoch(project, tmp_path):
    shutil.copytree(project / "data", tmp_path / "data")
    process = start(tmp_path, "train", *SMALL, *LONG)
    while not (checkpoints := list(tmp_path.glob("mlruns/train/*.npz"))):
        assert process.poll() is None, (tmp_path / "err").read_text()
        time.sleep(0.02)
    process.kill()
    process.wait()
    with np.load(checkpoints[0]) as kept:
        assert '"epoch": 1' in str(kept["progress"])  # in the middle of the second one
    (run,) = runs(tmp_path)

    assert done(tmp_path, "train", *SMALL, *LONG) == ([], 0)
    said = (tmp_path / "err").read_text()
    assert [one for one in range(1, 4) if f"epoch {one}:" in said] == [2, 3]
    assert runs(tmp_path) == {run: "FINISHED"}
    assert [list((tmp_path / "mlruns" / one).iterdir()) for one in ("train", "live")] == [[], []]
    assert len(figures(tmp_path)) > 15
    assert figures(tmp_path) == figures(project)


@pytest.mark.slow
def test_a_copied_project_is_trained_in_and_the_original_is_left_alone(project, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    before = listing(project)
    assert done(copy, "train", *SMALL, "seed=2", "fit.epochs=1") == ([], 0)
    assert listing(project) == before
    (new,) = runs(copy).keys() - runs(project).keys()
    assert (copy / "mlruns" / "artifacts" / new / "artifacts" / "card.html").is_file()


def test_a_training_ends_with_its_card_and_what_to_do_next(tmp_path, capsys):
    tracker = compose("train", [f"tracking.folder={tmp_path}/mlruns"]).tracking.build()
    _say_next("0123456789abcdef", tracker)
    said = capsys.readouterr().err
    assert "tripletlab export 01234567 bundle" in said
    assert "card:" not in said  # a server has it
    card = tmp_path / "mlruns" / "artifacts" / "0123456789abcdef" / "artifacts" / "card.html"
    card.parent.mkdir(parents=True)
    card.write_text("")
    _say_next("0123456789abcdef", tracker)
    assert f"card:{card}" in "".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_no_secret_of_the_config_is_kept_with_a_run(project, tmp_path):
    uri = f"postgresql://ada:{SECRET}@lab/mlflow?sslpassword={SECRET}"
    config = compose("train", [*SMALL, f"tracking.uri={uri}"])
    (faces,), (pairs,) = project.glob("data/**/faces.h5"), project.glob("data/**/pairs.h5")
    data = Data(FaceStore.open(faces), PairStore.open(pairs))
    tracker = compose("train", [f"tracking.folder={tmp_path}/mlruns"]).tracking.build()
    tracker.open()
    (tmp_path / "scratch").mkdir()
    with tracker.run("one", params=config.params(), tags={}) as log:
        _log_inputs(config, data, log, tmp_path / "scratch")
    artifacts = tmp_path / "mlruns" / "artifacts" / log.run_id / "artifacts"
    recorded = yaml.safe_load((artifacts / "config.yaml").read_text())
    assert recorded["tracking"]["uri"] == "postgresql://ada:***@lab/mlflow?sslpassword=***"
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) > 3
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []


@pytest.mark.slow
def test_what_a_killed_evaluation_leaves_goes_with_the_next_one(project, tmp_path):
    (pairs,) = project.glob("data/**/pairs.h5")
    faces = len(PairStore.open(pairs).images)
    np.save(tmp_path / "theirs.npy", np.random.default_rng(0).normal(size=(faces, 8)))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    words = ["evaluate", "theirs.npy", *PAIRS, f"data={project}/data"]
    process = start(tmp_path, *words, TMPDIR=str(temporary))
    while not list(temporary.glob("tripletlab-*/tripletlab-*")):
        assert process.poll() is None, (tmp_path / "err").read_text()
        time.sleep(0.02)
    process.kill()
    process.wait()
    (left,) = temporary.iterdir()
    assert not list(tmp_path.glob("mlruns/evaluations/*/card.json"))
    long_ago = time.time() - 2 * YOUNG
    os.utime(left / LOCK, (long_ago, long_ago))
    assert done(tmp_path, *words, TMPDIR=str(temporary)) == ([], 0)
    assert list(temporary.iterdir()) == []
    assert len(list(tmp_path.glob("mlruns/evaluations/*/card.json"))) == 1


@pytest.mark.slow
def test_a_disk_full_of_a_checkpoint_is_one_line_and_the_run_continues(disk, project, tmp_path):
    place = disk("3m")
    words = ["train", *SMALL, f"data={project}/data", f"tracking.folder={place}/mlruns"]
    (said,), code = done(tmp_path, *words)
    assert code == 2
    assert ".npz: cannot be written (No space left on device); make room" in said
    assert list(place.glob("mlruns/train/*")) == []
    (run,) = runs(place)
    disk("60m")
    assert done(tmp_path, *words) == ([], 0)
    assert runs(place) == {run: "FINISHED"}
