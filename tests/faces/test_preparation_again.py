import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from tests.faces.people import ALLOWING, PEOPLE, held
from tripletlab.faces import store_paths
from tripletlab.faces.journal import Journal
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.store import (
    FaceStore,
)
from tripletlab.photos.sources import TrainingPhotos
from tripletlab.photos.tree import Tree

KILLED = """
import os, sys, pickle
from tripletlab.faces.journal import Journal
from tripletlab.faces.preparation import prepare_faces
keep = Journal.add
finished = []
def add(self, number, entry):
    keep(self, number, entry)
    finished.append(number)
    if len(finished) == 3:
        with open(sys.argv[1], "w") as file:
            print(*finished, file=file)
        self._base.execute("BEGIN")
        keep(self, 1000, entry)  # half of a transaction
        os.kill(os.getpid(), 9)
Journal.add = add
with open(sys.argv[2], "rb") as file:
    prepare_faces(**pickle.load(file))
"""


def test_killed_work_goes_on_without_repeating_what_is_done(tmp_path, grow, recipe, monkeypatch):
    tree = grow("tree", PEOPLE)
    asked = {
        "photos": TrainingPhotos("photos", (Tree("tree", (tree,), cropped=False),)),
        "recipe": recipe,
        "hygiene": ALLOWING,
        "verification_people": {},
        "heldout": None,
        "settings": {},
        "fresh": False,
    }
    whole = prepare_faces(**asked, folder=tmp_path / "whole")
    there = {**asked, "folder": tmp_path / "data"}
    added, pickled = tmp_path / "added", tmp_path / "asked"
    pickled.write_bytes(pickle.dumps(there))
    # To the workers that outlive it for a while a pipe would be handed down.
    command = [sys.executable, "-c", KILLED, added, pickled]
    assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == -9
    finished = set(map(int, added.read_text().split()))
    assert len(finished) == 3
    again = []
    add = Journal.add
    monkeypatch.setattr(Journal, "add", lambda *a: (again.append(a[1]), add(*a)))
    made = prepare_faces(**there)
    assert sorted(again) == sorted(set(range(6)) - finished)
    assert made.path.read_bytes() == whole.path.read_bytes()
    assert list(made.path.parent.iterdir()) == [made.path]


def one_core_only():
    """Let this process use one core, for a while."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_the_same_on_one_core_and_on_all(grow, prepare):
    grow("tree", PEOPLE)
    cores = os.sched_getaffinity(0)
    try:
        one_core_only()
        alone = prepare("tree", folder="alone")
    finally:
        os.sched_setaffinity(0, cores)
    together = prepare("tree", folder="together")
    assert not together.reused
    assert FaceStore.open(alone.path).fingerprint == FaceStore.open(together.path).fingerprint


def test_what_is_there_is_used_again_unless_fresh(grow, prepare):
    grow("tree", PEOPLE)
    first = prepare("tree")
    inode = first.path.stat().st_ino
    again = prepare("tree")
    assert (again.path, again.reused) == (first.path, True)
    assert again.path.stat().st_ino == inode
    fresh = prepare("tree", fresh=True)
    assert (fresh.path, fresh.reused) == (first.path, False)
    assert fresh.path.stat().st_ino != inode


def test_whatever_goes_in_has_a_place_of_its_own(grow, prepare, recipe):
    tree = grow("tree", PEOPLE | {"Gil": 4, "Hal": 4})
    paths = [
        prepare("tree").path,
        prepare("tree*").path,
        prepare("tree", heldout=held(0.2)).path,
        prepare("tree", recipe=replace(recipe, max_photos=3)).path,
    ]
    (tree / "Ann" / "Ann_0004.png").unlink()
    paths.append(prepare("tree").path)
    os.utime(tree / "Ann" / "Ann_0003.png", ns=(0, 0))
    paths.append(prepare("tree").path)
    assert len(set(paths)) == len(paths)


def test_another_opencv_or_other_code_makes_another_store(prepare, grow, monkeypatch, tmp_path):
    grow("people", PEOPLE)
    before = prepare("people")
    assert prepare("people") == replace(before, reused=True)
    with monkeypatch.context() as patched:
        patched.setattr(cv2, "__version__", "4.99")
        assert prepare("people").path != before.path
    changed = tmp_path / "room"
    shutil.copytree(Path(store_paths.__file__).parent, changed)
    with (changed / "cropping.py").open("a") as file:
        file.write("# another crop\n")
    monkeypatch.setattr(store_paths, "__file__", str(changed / "store_paths.py"))
    assert prepare("people").path != before.path
