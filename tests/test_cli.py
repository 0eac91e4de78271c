"""The command line: help without heavy imports, options, and one line for every error."""

import errno
import os
import subprocess
import sys

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


def test_a_deleted_working_folder_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main(["sweep", "list"]) == 2
    said = "tripletlab: the working folder has been deleted: cd to another one\n"
    assert capsys.readouterr().err == said


ASCII_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("encoding", [{"PYTHONIOENCODING": "ascii"}, ASCII_LOCALE])
def test_an_output_that_lacks_a_letter_has_a_question_mark(encoding):
    done = subprocess.run(
        [sys.executable, "-m", "tripletlab", "describe", "architecture=simple_cnn"],
        env=os.environ | encoding,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "64?64" in done.stdout


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


def test_a_config_whose_parts_do_not_fit_is_not_printed(capsys):
    words = ["graph=three_inputs", "batches=people_by_photos"]
    assert main(["train", "--config", *words]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "give batches=offline" in err


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


@pytest.mark.parametrize(
    ("words", "unbuffered"),
    [("prepare --config", ""), ("prepare --config", "1"), ("describe", "")],
    ids=["at the end", "at a line (Typer)", "at a table (rich)"],
)
def test_a_reader_that_has_read_enough_ends_a_command_quietly(words, unbuffered):
    """As in `tripletlab train --config | head -1`."""
    command = f"'{sys.executable}' -m tripletlab {words}; echo ended by $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"( {command} ) | true"],
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "ended by 141\n"


@pytest.mark.parametrize("columns", ["0", "", "wide"])
def test_a_screen_that_has_no_width_gets_everything(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["train", "--help"]) == 0
    assert main(["describe"]) == 0
    shown = capsys.readouterr().out
    assert "semihard" in shown
    assert "955,192" in shown
    assert "L2 normalise" in shown


@pytest.mark.parametrize("words", [[], ["gallery"], ["data"]])
def test_without_a_command_the_help_is_shown_and_no_empty_error(words, capsys):
    assert main(words) == 2
    shown = capsys.readouterr()
    assert "Usage: tripletlab" in shown.out
    assert shown.err == ""


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
        (ValueError("Failed to serialize proto"), "out of memory"),
        (RuntimeError("std::bad_alloc"), "out of memory"),
    ],
)
def test_what_the_system_lacks_is_one_line(error, advice, monkeypatch, capsys):
    def fail(**_):
        raise error

    monkeypatch.setattr("tripletlab.cli.app", fail)
    assert main([]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert advice in line
    monkeypatch.setattr("tripletlab.errors.STARVED", ())
    if not isinstance(error, MemoryError | OSError):
        with pytest.raises(type(error)):  # any other is not hidden
            main([])
