"""The command line: help without heavy imports, and one clear line for everything that is wrong."""

import errno
import re
import subprocess
import sys

import cv2
import h5py
import numpy as np
import pytest

from tripletlab import cli
from tripletlab.cli import main
from tripletlab.training import backend

backend.load()  # the tests of this file share a process, which --config alone would not let train

HEAVY = {
    "tensorflow",
    "keras",
    "mlflow",
    "optuna",
    "hydra",
    "umap",
    "bokeh",
    "sklearn",
    "cv2",
    "h5py",
}


def test_help_imports_nothing_heavy():
    code = (
        "import sys, tripletlab.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('loaded:', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.partition("loaded:")[2].split())
    assert "tripletlab.cli" in loaded
    assert not loaded & HEAVY
    assert all(verb in done.stdout for verb in ("prepare", "train", "sweep", "ui"))


def test_the_help_of_a_verb_lists_the_choices(capsys):
    assert main(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "semihard" in shown
    assert "955,192" in shown


@pytest.mark.parametrize("word", ["~/my photos", "--to=~/my photos"])
def test_a_home_folder_that_the_shell_leaves_is_expanded(word, monkeypatch):
    monkeypatch.setenv("HOME", "/home/it's (me)")
    assert cli._home_expanded(word) == word.replace("~", "/home/it's (me)")


@pytest.mark.parametrize("word", ["~ada/x", "a~/x", "photos.detected=[~/x]"])
def test_other_words_stay_as_they_are(word):
    assert cli._home_expanded(word) == word


def test_the_config_is_printed_and_nothing_done(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--config", "margin=0.4"]) == 0
    assert "margin: 0.4" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "margin=0.4", "--config", "miner=hard"], "triplets.miners.hard"),
        (["train", "--config", "margin=0.4", "miner=hard"], "triplets.miners.hard"),
        (["prepare", "faces.size=96", "--config", "faces.border=0.1"], "border: 0.1"),
    ],
)
def test_overrides_stand_on_both_sides_of_an_option(words, says, capsys):
    assert main(words) == 0
    assert says in capsys.readouterr().out


def test_an_unknown_option_is_named(capsys):
    assert main(["train", "--konfig", "margin=0.4"]) == 2
    assert "--konfig" in capsys.readouterr().err


@pytest.fixture
def people(tmp_path):
    """Twelve people with ten noisy pictures each; they are taken as cropped faces."""
    rng = np.random.default_rng(0)
    for name in (
        "Ann",
        "Bob",
        "Cid",
        "Dee",
        "Eve",
        "Fay",
        "Gil",
        "Hal",
        "Ida",
        "Jon",
        "Kim",
        "Lea",
    ):
        (tmp_path / "people" / name).mkdir(parents=True)
        for number in range(10):
            noise = rng.integers(0, 255, (70, 70), np.uint8)
            cv2.imwrite(str(tmp_path / "people" / name / f"{name}_{number:04d}.png"), noise)
    return tmp_path / "people"


CROPPED = [
    "photos=folder",
    "photos.cropped=[people]",
    "verification=heldout",
    "verification.folds=2",
    "verification.fraction=0.4",
    "faces.validation_fraction=0.2",
]
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
    ("two spaces", ["sweep", "margin_miner", "other"], "name one space only"),
    ("an axis that is set", ["sweep", "margin=0.3"], "axes.margin"),
    ("an axis of the data", ["sweep", "axes.photos.people=[50,100]"], "photos.people"),
    ("a sampler without trials", ["sweep", "sampler={_target_: optuna.X}"], "trials"),
    ("a pruner that is not there", ["sweep", "pruner={_target_: optuna.X}"], "optuna.X"),
    ("no folder given", ["prepare", "photos=folder"], "photos.detected"),
    ("a value missing", ["prepare", "verification=lfw"], "verification.path"),
    ("no such folder", ["prepare", "photos=folder", "photos.detected=[nowhere]"], "nowhere"),
    ("an empty folder", ["prepare", "photos=folder", "photos.detected=[empty]"], "empty"),
    ("no pairs.txt", ["prepare", "verification=lfw", "verification.path=empty"], "pairs.txt"),
    ("faces.min_photos too high", ["prepare", *CROPPED, "faces.min_photos=11"], "min_photos"),
    ("too few faces for batches", ["train", *CROPPED, "batches.photos=11"], "batches.photos=11"),
]


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


@pytest.mark.parametrize("damage", ["truncated", "another version", "not HDF5"])
def test_a_damaged_store(damage, people, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *CROPPED]) == 0
    path = next(tmp_path.glob("data/*/faces.h5"))
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "not HDF5":
        path.write_text("faces")
    else:
        with h5py.File(path, "r+") as file:
            file.attrs["format"] = 999
    assert main(["prepare", *CROPPED]) == 2
    assert "--fresh" in capfd.readouterr().err
    assert main(["prepare", *CROPPED, "--fresh"]) == 0


def test_data_verify_names_whose_faces_have_changed(people, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["data", "verify"]) == 2
    assert "no faces.h5" in capfd.readouterr().err
    assert main(["prepare", *CROPPED]) == 0
    assert main(["data", "verify"]) == 0
    said = capfd.readouterr().out.splitlines()
    assert len(said) == 2
    assert all(line.endswith("as it was written") for line in said)
    path = next(tmp_path.glob("data/*/faces.h5"))
    with h5py.File(path, "r") as file:
        place, first = file["images"].id.get_offset(), int(file["offsets"][3])
        name = file["names"].asstr()[3]
    data = bytearray(path.read_bytes())
    data[place + first * 64 * 64 + 7] ^= 1
    path.write_bytes(data)
    assert main(["data", "verify"]) == 2
    said = capfd.readouterr()
    assert f"{name}: faces {first} to {first + 9} have changed" in said.out
    assert "1 of 2 stores" in said.err


def test_prepared_faces_have_a_card(people, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (people / "Ann" / "Ann_0100.jpg").touch()
    assert main(["prepare", *CROPPED]) == 0
    page = next(tmp_path.glob("data/*/faces.html"))
    assert "Not used: not a photo, damaged, or too large, 1 photos" in page.read_text()
    assert len(list(tmp_path.glob("data/**/pairs.json"))) == 1
    page.unlink()
    assert main(["prepare", *CROPPED]) == 0
    assert page.is_file()


def test_bad_photos_are_counted_and_stop_nothing(people, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    good = next(people.glob("Ann/*.png")).read_bytes()
    (people / "Ann" / "Ann_0100.jpg").touch()
    (people / "Ann" / "Ann_0101.png").write_bytes(good[: len(good) // 2])
    (people / "Bob" / "notes.txt").write_text("Bob, on a good day")
    assert main(["prepare", *CROPPED]) == 0
    said = capfd.readouterr().err
    assert re.search(r"not a photo, damaged[^│]*│ +3 │ +2\.4% │", said)
    assert "Ann_0100.jpg" in said


def test_a_reader_that_has_read_enough_ends_a_command_quietly():
    """As in `tripletlab train --config | head -1`."""
    command = f"'{sys.executable}' -m tripletlab prepare --config; echo ended by $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"( {command} ) | head -c 1"], capture_output=True, text=True, check=True
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_an_error_is_one_line_of_bounded_length(capsys):
    assert main(["prepare", "photos.people=" + "x" * 9000]) == 2
    said = capsys.readouterr().err
    assert said.startswith("tripletlab: photos.people=xxx")
    assert said.endswith("unable to parse string as an integer\n")
    assert len(said) < 2000


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "raise ulimit -n"),
        (MemoryError(), "out of memory: raise the limit"),
        (ImportError("x.so: failed to map segment from shared object"), "out of memory"),
        (RuntimeError("can't start new thread"), "out of memory"),
        (ValueError("OOM when allocating tensor with shape[9,9]"), "out of memory"),
    ],
)
def test_what_the_system_lacks_is_one_line(error, advice, monkeypatch, capsys):
    def fail(**_):
        raise error

    monkeypatch.setattr("tripletlab.cli.app", fail)
    assert main([]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert advice in line
    monkeypatch.setattr("tripletlab.cli.STARVED", ())
    if not isinstance(error, MemoryError | OSError):
        with pytest.raises(type(error)):  # any other is not hidden
            main([])
