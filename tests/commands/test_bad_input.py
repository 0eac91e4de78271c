"""One clear line for everything that is wrong, and nothing is left behind."""

import pytest

from tests.commands.conftest import CROPPED
from tripletlab.cli import main
from tripletlab.training import backend

backend.load()  # the tests of this file share a process, which --config alone would not let train

BAD = [
    ("an unknown key", ["train", "batchs.people=4"], "batches.people"),
    ("an unknown choice", ["train", "miner=easy"], "hard, semihard"),
    ("not an override", ["train", "hard"], "key=value"),
    ("a wrong type", ["train", "margin=wide"], "margin=wide"),
    ("a margin out of range", ["train", "margin=-0.1"], "greater than 0"),
    ("too few people a batch", ["train", "batches.people=1"], "batches.people=1"),
    ("too few photos a person", ["train", "batches.photos=1"], "batches.photos=1"),
    ("a learning rate of zero", ["train", "optimizer.learning_rate=0"], "learning_rate=0"),
    ("a sweep's bad cell", ["sweep", "batches.people=1"], "batches.people=1"),
    ("an unknown space", ["sweep", "nowhere"], "margin_miner"),
    ("two spaces", ["sweep", "margin_miner", "other"], "one space at a time"),
    ("an axis that is set", ["sweep", "margin=0.3"], "axes.margin"),
    ("an axis of the data", ["sweep", "axes.photos.people=[50,100]"], "photos.people"),
    ("a sampler without trials", ["sweep", "sampler={_target_: optuna.X}"], "trials"),
    ("a pruner that is not there", ["sweep", "pruner={_target_: optuna.X}"], "optuna.X"),
    ("a conf folder's place", ["train", "--config-dir", "x"], "belongs before the command"),
    ("no conf folder's name", ["--config-dir", "", "train"], "--config-dir is empty"),
    ("a key that no network has", ["describe", "faces.min_photos=3"], "faces.size alone"),
    ("data of past sweeps", ["sweep", "list", "data=/nowhere"], "no effect on tripletlab sweep"),
    ("no folder given", ["prepare", "photos=folder"], "photos.detected"),
    ("a value missing", ["prepare", "verification=lfw"], "verification.path"),
    ("no such folder", ["prepare", "photos=folder", "photos.detected=[nowhere]"], "nowhere"),
    ("an empty folder", ["prepare", "photos=folder", "photos.detected=[empty]"], "empty"),
    (
        "an unknown user",
        ["prepare", "verification=lfw", "verification.path=~nobody9/x"],
        "~nobody9",
    ),
    ("an unknown user's list", ["prepare", "hygiene.exclude=[~nobody9/x]"], "~nobody9"),
    ("no pairs.txt", ["prepare", "verification=lfw", "verification.path=empty"], "pairs.txt"),
    ("faces.min_photos too high", ["prepare", *CROPPED, "faces.min_photos=11"], "min_photos"),
    ("too few faces for batches", ["train", *CROPPED, "batches.photos=11"], "batches.photos=11"),
]


NOWHERE = ["photos=folder", "photos.detected=[nowhere]"]


@pytest.mark.parametrize("command", [["train"], ["sweep"], ["sweep", "--dry-run"]])
@pytest.mark.parametrize("missing", [NOWHERE, ["verification=lfw", "verification.path=nowhere"]])
def test_missing_photos_are_reported_before_anything_is_made(
    command, missing, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    assert main([*command, *missing]) == 2
    assert "nowhere" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "hint"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_bad_input_is_one_line_and_leaves_nothing(
    arguments, hint, people, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main(arguments) == 2
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("tripletlab:")]
    assert len(said) == 1
    assert hint in said[0]
    assert "Traceback" not in said[0]
    unfinished = [path for path in tmp_path.rglob(".*") if path.name != ".gitignore"]
    assert not unfinished
    assert not list(tmp_path.glob("mlruns/artifacts/*"))
