import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faces.people import ALLOWING, PEOPLE
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.store_paths import (
    JOURNAL_AGE,
    delete_leftovers,
    listing,
    made_by,
    store_path,
)
from tripletlab.photos.sources import TrainingPhotos
from tripletlab.photos.tree import Tree

PREPARE_AND_WAIT = """
import pickle, sys, time
from tripletlab.faces import store_writing
from tripletlab.faces.preparation import prepare_faces
def wait(*_):
    print(flush=True)
    time.sleep(600)
store_writing._write_texts = wait
with open(sys.argv[1], "rb") as file:
    prepare_faces(**pickle.load(file))
"""


def test_place_of_a_store_is_readable_and_stable():
    key = {"b": [1, 2], "a": "ü"}
    path = store_path(Path("data"), title="photos: Ä + my_faces!", key=key)
    assert path.parent == Path("data")
    assert path.name.startswith("photos-a-my-faces-")
    assert len(path.name.rpartition("-")[2]) == 8
    assert (
        store_path(Path("data"), title="photos: Ä + my_faces!", key=json.loads(json.dumps(key)))
        == path
    )


def test_photos_that_become_readable_are_listed_otherwise(tmp_path, monkeypatch):
    (tmp_path / "a.jpg").touch()
    readable = listing([tmp_path / "a.jpg"])
    monkeypatch.setattr("os.access", lambda *_: False)
    assert listing([tmp_path / "a.jpg"]) != readable


def test_a_model_is_known_by_its_content_not_its_place(tmp_path):
    for name, content in (("a.onnx", b"one"), ("b.onnx", b"one"), ("c.onnx", b"other")):
        (tmp_path / name).write_bytes(content)
    one, same, other = (
        made_by({"detector": {"model": str(tmp_path / name)}})
        for name in ("a.onnx", "b.onnx", "c.onnx")
    )
    assert one == same != other
    assert made_by({"detector": {"min_size": 30}}) == one[:-1]


def test_a_detector_of_ones_own_is_known_by_its_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_detector.py").write_text("def middle(photo): return []\n")
    settings = {"detector": {"_target_": "my_detector.middle"}}
    before = made_by(settings)
    assert made_by(settings) == before
    (tmp_path / "my_detector.py").write_text("def middle(photo): return [1]\n")
    assert made_by(settings) != before
    assert made_by({"aligner": {"_target_": "tripletlab.faces.alignment.none"}}) == made_by({})


@pytest.fixture
def asked(tmp_path, grow, recipe):
    return {
        "photos": TrainingPhotos("photos", (Tree("tree", (grow("tree", PEOPLE),), cropped=False),)),
        "recipe": recipe,
        "hygiene": ALLOWING,
        "verification_people": {},
        "heldout": None,
        "settings": {},
        "folder": tmp_path / "data",
        "fresh": False,
    }


@pytest.fixture
def writing(tmp_path, asked):
    """A preparation that is writing its store, and the folder of that."""
    (tmp_path / "asked").write_bytes(pickle.dumps(asked))
    # Its workers outlive it for a while: a pipe for stderr would be handed down to them.
    process = subprocess.Popen(
        [sys.executable, "-c", PREPARE_AND_WAIT, str(tmp_path / "asked")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    process.stdout.readline()
    yield process, next(asked["folder"].iterdir())
    process.kill()
    process.wait()


def files(folder):
    return sorted(path.name.partition("-")[0] for path in folder.iterdir())


def grown_old(folder):
    long_ago = time.time() - 2 * JOURNAL_AGE
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (long_ago, long_ago))


def test_the_next_preparation_deletes_what_a_killed_one_left_of_its_store(asked, writing):
    process, folder = writing
    other = {**asked, "settings": {"size": 32}}
    assert not prepare_faces(**other).reused
    assert files(folder) == [".faces.h5.unfinished", ".faces.lock", ".faces.unfinished"]
    process.kill()
    process.wait()
    assert prepare_faces(**other).reused
    assert files(folder) == [".faces.unfinished"]  # from which the same command continues
    assert not prepare_faces(**asked).reused
    assert files(folder) == ["faces.h5"]


def test_a_journal_is_deleted_when_it_is_a_week_old_and_nobody_works_on_it(asked, writing):
    process, folder = writing
    grown_old(folder)
    delete_leftovers(asked["folder"])
    assert files(folder) == [".faces.h5.unfinished", ".faces.lock", ".faces.unfinished"]
    process.kill()
    process.wait()
    delete_leftovers(asked["folder"])
    assert not folder.exists()


def test_an_old_journal_is_continued_by_its_own_command(asked, writing, monkeypatch):
    process, folder = writing
    process.kill()
    process.wait()
    grown_old(folder)
    monkeypatch.setattr("tripletlab.faces.journal.Journal.add", lambda *_: pytest.fail("again"))
    assert not prepare_faces(**asked).reused
    assert files(folder) == ["faces.h5"]
