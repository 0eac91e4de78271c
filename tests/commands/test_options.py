"""Folders of photos as a person names them, on the command line and through make."""

import os
import subprocess
from pathlib import Path

import pytest

from tripletlab import config
from tripletlab.commands.options import target_and_overrides, with_photos
from tripletlab.errors import InputError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "my photos", "it's (1) #2, фото"):
        (tmp_path / name).mkdir()


def detected(words):
    return config.compose("prepare", words).photos["detected"]


def test_folders_are_read_as_a_shell_reads_them():
    assert detected(with_photos([], ["a 'my photos'"], None, None)) == ["a", "my photos"]
    assert detected(with_photos([], ["my photos"], None, None)) == ["my photos"]
    assert detected(with_photos([], ["a", "it's (1) #2, фото"], None, None)) == [
        "a",
        "it's (1) #2, фото",
    ]
    assert detected(with_photos([], ["~/x"], None, None)) == [str(Path.home() / "x")]


def test_what_is_given_goes_before_the_short_forms():
    words = with_photos(["verification=pairs", "verification.path=/set"], ["a"], None, None)
    composed = config.compose("prepare", words)
    assert composed.choices["verification"] == "pairs"
    composed = config.compose("prepare", with_photos([], ["a"], ["my photos"], "/lfw"))
    assert composed.verification["path"] == "/lfw"
    assert composed.photos["cropped"] == ["my photos"]
    assert with_photos([], None, None, None) == []


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_option_is_refused(empty):
    for options in (([empty], None, None), (None, ["a", empty], None), (None, None, empty)):
        with pytest.raises(InputError, match="is empty: name a folder"):
            with_photos([], *options)


def test_an_option_whose_key_is_given_too_is_refused():
    with pytest.raises(InputError, match=r"--photos and photos.detected are given"):
        with_photos(["photos.detected=[/usr]"], ["a"], None, None)
    with pytest.raises(InputError, match=r"--lfw and verification.path are given"):
        with_photos(["verification.path=/set"], None, None, "/lfw")


def test_an_open_quote_is_named():
    with pytest.raises(InputError, match="quotes that do not close"):
        with_photos([], ["'a"], None, None)


def test_one_target_at_a_time():
    assert target_and_overrides([]) == ("champion", [])
    assert target_and_overrides(["x", "flip=true"]) == ("x", ["flip=true"])
    with pytest.raises(InputError, match="one target at a time"):
        target_and_overrides(["x", "y"])


def make(*words, **environment):
    """What make would run."""
    return subprocess.run(
        ["make", "-n", "-o", ".venv/ready", *words],
        cwd=ROOT,
        env=os.environ | {"MAKEFLAGS": ""} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_passes_a_folder_on_as_it_is():
    """With the variable as the shell hands it over."""
    shown = make("data", "PHOTOS=it's (1) #2; touch x").stdout
    assert '--photos "$PHOTOS"' in shown
    assert "touch" not in shown


@pytest.mark.parametrize("target", ["sweep", "data", "train"])
def test_make_begins_anew_where_it_is_told_so(target):
    assert "--fresh" in make(target, "FRESH=1").stdout
    assert "--fresh" not in make(target, "FRESH=0").stdout


@pytest.mark.parametrize("target", ["sweep", "report", "ui", "webcam", "data", "train"])
def test_make_passes_keys_of_the_config_on(target):
    assert " tracking.folder=x" in make(target, "SET=tracking.folder=x").stdout


def test_a_variable_that_make_does_not_know_is_an_error_on_its_command_line_alone():
    refused = make("sweep", "PHOTO=a b")
    assert refused.returncode == 2
    assert "no such variable: PHOTO; there are PHOTOS" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert make("sweep", PHOTO="a").returncode == 0
