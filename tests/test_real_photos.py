"""Real photos, where TRIPLETLAB_REAL names a folder with `lfw/` and `celebrities/` in it."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from tripletlab import config
from tripletlab.experiment.data import prepare
from tripletlab.faces.cropping import read_photo
from tripletlab.photos.pairs import read_pairs_files
from tripletlab.photos.tree import list_identities

REAL = os.environ.get("TRIPLETLAB_REAL")
pytestmark = pytest.mark.skipif(not REAL, reason="give TRIPLETLAB_REAL, a folder of real photos")


def lfw():
    composed = config.compose("prepare", ["verification=lfw", f"verification.path={REAL}/lfw"])
    return composed.verification.build()


def test_view_2_of_lfw_has_ten_sets_of_300_and_300():
    named = read_pairs_files(lfw().pairs)
    matched = np.array([pair.first.name == pair.second.name for pair in named])
    fold = np.array([pair.fold for pair in named])
    for one in range(10):
        assert np.count_nonzero(matched[fold == one]) == 300
        assert np.count_nonzero(~matched[fold == one]) == 300
    assert len(named) == 6000


def yunet():
    """The overrides that choose YuNet, whose file lies beside the real photos."""
    found = sorted(Path(REAL).parent.glob("models/*yunet*.onnx"))
    if not found:
        pytest.skip("no YuNet file in models/ beside the folder TRIPLETLAB_REAL")
    return ["faces=yunet", f"faces.detector.model={found[0]}"]


@pytest.mark.parametrize("choice", ["haar", "yunet"])
def test_nearly_every_photo_of_lfw_has_a_face_in_its_middle(choice):
    overrides = yunet() if choice == "yunet" else []
    recipe = config.compose("prepare", overrides).faces.build()
    photos = [photos[0] for photos in list_identities(lfw().tree).values()][:160]
    found = 0
    for path in photos:
        photo = read_photo(path, colour=recipe.colour)
        boxes = recipe.detector(photo)
        if boxes:
            left, top, side = boxes[0]
            centre = np.array([left + side / 2, top + side / 2]) / photo.shape[1::-1]
            found += bool(np.abs(centre - 0.5).max() < 0.15)
            assert recipe.extract(photo, boxes[0]).shape == (64, 64)
    assert found >= 155


@pytest.mark.parametrize("side", [700, 1500, 3000])
def test_yunet_finds_faces_in_photos_of_every_size(side):
    """The network misses faces of more than some 400 pixels."""
    recipe = config.compose("prepare", yunet()).faces.build()
    photos = [photos[0] for photos in list_identities(lfw().tree).values()][:200:20]
    for path in photos:
        photo = read_photo(path, colour=True)
        assert recipe.detector(cv2.resize(photo, (side, side), interpolation=cv2.INTER_CUBIC))


def test_a_folder_of_photos_is_prepared_and_held_out_people_judge(tmp_path):
    people = sorted(Path(REAL, "celebrities").iterdir())[:12]
    for person in people:
        (tmp_path / "photos" / person.name).mkdir(parents=True)
        for photo in sorted(person.iterdir())[:14]:
            (tmp_path / "photos" / person.name / photo.name).symlink_to(photo.resolve())
    given = [
        "photos=folder",
        f"photos.detected=[{tmp_path / 'photos'}]",
        "verification=heldout",
        "verification.fraction=0.5",
        "verification.folds=2",
        "verification.per_fold=10",
        f"data={tmp_path / 'data'}",
    ]
    data = prepare(config.compose("prepare", given), fresh=False)
    rejected = sum(found["photos"] for found in data.faces.notes["rejected"].values())
    assert data.faces.notes["photos"] == len(data.faces.images) + rejected
    assert len(data.faces.images) > 0.7 * data.faces.notes["photos"]
    assert not data.faces.title.startswith("synthetic")
    assert len(data.pairs.pairs.matched) == 40
