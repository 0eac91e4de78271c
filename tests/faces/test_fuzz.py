"""Whatever lies in a person's folder: nothing crashes, and everything is accounted for."""

import collections
import os

import cv2
import numpy as np
import pytest

from tests.faces.conftest import draw
from tests.faces.damaged import bomb, litter, sound
from tripletlab.faces.cropping import read_photo
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.store import FaceStore, rejected_photos
from tripletlab.photos.hygiene import Hygiene
from tripletlab.photos.sources import TrainingPhotos
from tripletlab.photos.tree import Tree

FILES = int(os.environ.get("TRIPLETLAB_FUZZ", "120"))  # documented in docs/preparation.md


@pytest.mark.parametrize("name", sound(draw(1, 1)))
def test_every_form_of_a_photo_is_read_upright(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(sound(draw(1, 1))[name])
    photo = read_photo(path)
    assert photo.shape == (96, 96)
    assert np.abs(photo.astype(int) - draw(1, 1)).mean() < 8


@pytest.mark.parametrize("side", [12_000, 40_000, 1_000_000])
def test_a_bomb_is_not_unpacked(tmp_path, side, monkeypatch):
    (tmp_path / "bomb.png").write_bytes(bomb(side))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("unpacked"))
    assert read_photo(tmp_path / "bomb.png") is None


def test_found_is_kept_and_rejected(tmp_path, grow, recipe):
    tree = grow("tree", dict.fromkeys(("Ann", "Ben", "Cem", "Dan", "Eva"), 3))
    litters = [tree / name for name in ("Ann", "Ben", "Cem", "Zed")]
    (tree / "Zed").mkdir()
    kinds = collections.Counter(
        kind
        for seed, folder in enumerate(litters)
        for kind in litter(folder, lambda n: draw(3, n), files=FILES // 4, seed=seed)
    )
    made = prepare_faces(
        TrainingPhotos("photos", (Tree("tree", (tree,), cropped=False),)),
        recipe,
        hygiene=Hygiene(exclude=[], shared="refuse"),
        verification_people={},
        heldout=None,
        settings={},
        folder=tmp_path / "data",
        fresh=False,
    )
    store, rejected = FaceStore.open(made.path), rejected_photos(made.path)
    print(sum(kinds.values()), "strange files:", dict(kinds))
    print("found", store.notes["photos"], "kept", store.notes["kept"], store.notes["rejected"])
    assert store.notes["photos"] == 15 + sum(kinds.values())
    assert store.notes["photos"] == store.notes["kept"] + len(rejected)
    assert store.notes["kept"] == len(store.images) == len(set(store.sources))
    assert len({*store.sources, *(one for one, _ in rejected)}) == store.notes["photos"]
    assert sum(found["photos"] for found in store.notes["rejected"].values()) == len(rejected)
    never = ("empty", "text", "random", "bomb", "loop", "dangling", "folder", "pipe")
    assert len(rejected) >= sum(kinds[kind] for kind in never)
