"""What an earlier version wrote is read by every command, or refused in a line that helps.

The folders of tests/fixtures are projects of earlier versions; fixtures/make.py made them.
"""

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from tripletlab.cli import main
from tripletlab.errors import InputError
from tripletlab.faces.journal import unfinished
from tripletlab.faces.store import FaceStore, PairStore
from tripletlab.training.checkpoint import Progress, load, save

FIXTURES = Path(__file__).parent / "fixtures"
VERSIONS = sorted(
    path.name for path in FIXTURES.iterdir() if path.is_dir() and path.name[0].isdigit()
)


@pytest.fixture(scope="module", params=VERSIONS)
def earlier(request, tmp_path_factory):
    """A copy of a project of that version, in another folder than it was made in."""
    return shutil.copytree(
        FIXTURES / request.param, tmp_path_factory.mktemp("upgraded") / "project"
    )


@pytest.fixture
def project(earlier, monkeypatch):
    monkeypatch.chdir(earlier)
    monkeypatch.setenv("BROWSER", "true")
    return earlier


def printed(capfd, *words):
    """What a command that ends well prints."""
    capfd.readouterr()
    assert main(words) == 0, capfd.readouterr().err
    return capfd.readouterr().out


def refused(capfd, *words):
    """The one line of a command that is refused."""
    capfd.readouterr()
    assert main(words) == 2
    (line,) = capfd.readouterr().err.splitlines()
    return line


def test_bundle_and_gallery_are_used(project, capfd):
    assert "Ada" in (listed := printed(capfd, "gallery", "list"))
    assert "Bo" in listed
    assert printed(capfd, "verify", "photos/a0.jpg", "photos/a0.jpg").startswith("same")
    assert printed(capfd, "recognise", "photos/a0.jpg").split("\t")[1] == "Ada"
    printed(capfd, "enrol", "Cem", "photos/b2.jpg", "--gallery", "gallery")
    assert "Cem" in printed(capfd, "gallery", "list")


def test_sweeps_are_shown(project, capfd):
    assert "margin_miner" in printed(capfd, "sweep", "list")
    assert "2 runs: 2 complete" in printed(capfd, "sweep", "status")
    printed(capfd, "sweep", "best")


@pytest.mark.slow
def test_runs_are_evaluated_compared_and_exported(project, capfd):
    printed(capfd, "evaluate", "champion")
    printed(capfd, "identify", "champion")
    printed(capfd, "suspects", "champion")
    printed(capfd, "export", "champion", "again", "--far", "0.3")
    with contextlib.closing(sqlite3.connect("mlruns/mlflow.db")) as base:
        trials = "SELECT DISTINCT run_uuid FROM metrics WHERE key = 'train/loss'"
        (first,), (second,) = base.execute(trials).fetchall()
    printed(capfd, "compare", first, second)
    assert printed(capfd, "report").strip().endswith(".html")
    printed(capfd, "data", "verify")


def test_no_path_of_a_machine_is_in_it(earlier):
    import tripletlab

    here = str(Path(tripletlab.__file__).parents[2]).encode(), str(Path.home()).encode() + b"/"
    for version in VERSIONS:
        for path in (FIXTURES / version).rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert not any(one in content for one in here), path


def test_a_bundle_of_a_newer_format_is_refused(project, tmp_path, capfd):
    bundle = shutil.copytree("bundle", tmp_path / "bundle")
    plain = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps({**plain, "format": 99, "new": 1}))
    line = refused(capfd, "verify", "photos/a0.jpg", "photos/a1.jpg", "--bundle", str(bundle))
    assert "its format is 99 and not 2: another version of tripletlab wrote it; make it" in line


def test_a_gallery_of_a_newer_format_is_refused_and_unchanged(project, tmp_path, capfd):
    gallery = shutil.copytree("gallery", tmp_path / "gallery")
    with contextlib.closing(sqlite3.connect(gallery / "gallery.sqlite")) as base, base:
        base.execute("UPDATE made_by SET format = 99")
    before = (gallery / "gallery.sqlite").read_bytes()
    for words in (["gallery", "list"], ["enrol", "Eve", "photos/b0.jpg"]):
        line = refused(capfd, *words, "--gallery", str(gallery))
        assert "its format is 99 and not 2: another version of tripletlab keeps it" in line
    assert (gallery / "gallery.sqlite").read_bytes() == before


def test_stores_of_a_newer_format_are_refused(project, tmp_path):
    for kind, name in ((FaceStore, "faces.h5"), (PairStore, "pairs.h5")):
        found, *_ = sorted(Path("data").rglob(name))  # other tests add some
        assert len(kind.open(found).images)
        copy = Path(shutil.copy(found, tmp_path))
        with h5py.File(copy, "r+") as file:
            file.attrs["format"] = 99
        with pytest.raises(InputError, match=r"in version 99 and .*prepare --fresh"):
            kind.open(copy)


def test_an_older_schema_of_mlflow_is_refused_with_the_command_that_helps(
    project, tmp_path, monkeypatch, capfd
):
    shutil.copytree("mlruns", tmp_path / "mlruns")
    with contextlib.closing(sqlite3.connect(tmp_path / "mlruns" / "mlflow.db")) as base, base:
        base.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    monkeypatch.chdir(tmp_path)
    line = refused(capfd, "evaluate", "champion")
    assert "made by another version of MLflow; copy it, then run mlflow db upgrade on it" in line


def test_studies_of_another_schema_of_optuna_are_refused(project, tmp_path, capfd):
    copy = shutil.copy("mlruns/optuna.db", tmp_path)
    with contextlib.closing(sqlite3.connect(copy)) as base, base:
        base.execute("UPDATE alembic_version SET version_num = 'v3.0.0.d'")
    line = refused(capfd, "sweep", "list", f"studies=sqlite:///{copy}")
    assert "optuna.db: cannot be opened" in line
    assert "optuna storage upgrade" in line


def test_a_checkpoint_of_a_newer_format_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    save(tmp_path / "fit.npz", model, Progress(epoch=3))
    assert load(tmp_path / "fit.npz", model).epoch == 3
    arrays = dict(np.load(tmp_path / "fit.npz"))
    np.savez(tmp_path / "fit.npz", **{**arrays, "format": 99, "progress": '{"new": 1}'})
    with pytest.raises(InputError, match="its format is 99 and not 1; delete it"):
        load(tmp_path / "fit.npz", model)


def test_a_journal_of_a_newer_format_is_refused_and_begun_anew(tmp_path):
    path = tmp_path / "faces.h5"
    with pytest.raises(KeyError), unfinished(path, size=8, fresh=False):
        raise KeyError
    journal = tmp_path / ".faces.unfinished" / "journal.sqlite"
    with contextlib.closing(sqlite3.connect(journal)) as base:
        base.execute("PRAGMA user_version = 99")
    with (
        pytest.raises(InputError, match=r"its format is 99 and not 1.* run the command again"),
        unfinished(path, size=8, fresh=False),
    ):
        pytest.fail("it was opened")
    with unfinished(path, size=8, fresh=False) as anew:
        assert anew is not None
