"""A gallery is listed and changed without its bundle, and shows no picture."""

import json
import os
import sqlite3
from datetime import datetime

import pytest

from tests.recognition.test_gallery import DIM, shots
from tripletlab.cli import main
from tripletlab.recognition.gallery import Gallery
from tripletlab.recognition.gallery_file import FILE


@pytest.fixture
def folder(tmp_path):
    """A gallery of two people, Ada and Bo."""
    kept = Gallery(tmp_path / "g", fingerprint="m", dim=DIM)
    kept.add("Ada", shots(1, 2))
    kept.add("Bo [b]", shots(3, 1))
    kept.close()
    return tmp_path / "g"


def gallery(folder, *words):
    return main(["gallery", *words, "--gallery", str(folder)])


def test_everyone_is_listed_with_photos_and_dates(folder, capsys):
    assert gallery(folder, "list", "--json") == 0
    ada, bo = map(json.loads, capsys.readouterr().out.splitlines())
    assert (ada["name"], ada["photos"], bo["name"], bo["photos"]) == ("Ada", 2, "Bo [b]", 1)
    first = datetime.fromisoformat(ada["first"])
    assert 0 <= (datetime.now().astimezone() - first).total_seconds() < 60
    assert set(ada) == {"name", "photos", "unused", "first", "last"}
    assert gallery(folder, "list") == 0
    said = capsys.readouterr().out
    assert "Bo [b]" in said
    assert said.count(f"{first:%Y-%m-%d %H:%M}") >= 2


def test_a_damaged_date_is_left_out(folder, capsys):
    with sqlite3.connect(folder / FILE) as base:
        base.execute("UPDATE photo SET taken = 1e300")
    base.close()
    assert gallery(folder, "list", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["first"] is None
    assert gallery(folder, "list") == 0


def test_people_are_renamed_and_removed_for_good(folder, capsys):
    assert gallery(folder, "rename", "Ada", "  Ada   Lovelace ") == 0
    assert "Ada is Ada Lovelace now" in capsys.readouterr().err
    assert b"Ada Lovelace" in (folder / FILE).read_bytes()
    assert gallery(folder, "remove", "Ada Lovelace") == 0
    assert b"Ada" not in (folder / FILE).read_bytes()
    assert gallery(folder, "list", "--json") == 0
    assert [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()] == ["Bo [b]"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["remove", "Ada", "Nobody"], "Nobody: nobody of that name"),
        (["rename", "Nobody", "Cy"], "Nobody: nobody of that name"),
        (["rename", "Ada", "Bo [b]"], "is there already"),
        (["rename", "Ada", " "], "give a name"),
    ],
)
def test_what_cannot_be_done_changes_nothing(words, says, folder, capsys):
    before = (folder / FILE).read_bytes()
    assert gallery(folder, *words) == 2
    assert says in capsys.readouterr().err
    assert (folder / FILE).read_bytes() == before


def test_no_gallery_is_made_by_looking_for_one(tmp_path, capsys):
    assert gallery(tmp_path / "none", "list") == 2
    assert "no gallery is there" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
    (tmp_path / FILE).write_bytes(b"three years of work")
    assert gallery(tmp_path, "list") == 2
    assert (tmp_path / FILE).read_bytes() == b"three years of work"
