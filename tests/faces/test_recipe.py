import functools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.faces.alignment import none
from tripletlab.faces.cropping import Box, crop
from tripletlab.faces.detection import whole
from tripletlab.faces.recipe import FOLDER, HEIC, NO_FACE, PRIVATE, UNREADABLE


@pytest.fixture
def ann(grow):
    return grow("tree", {"Ann": 1}) / "Ann" / "Ann_0001.png"


@pytest.fixture
def plain(tmp_path):
    """A photo without a face; its left half is darker."""
    photo = np.repeat([[50, 150]], 40, axis=0).repeat(30, axis=1).astype(np.uint8)  # (40, 60)
    cv2.imwrite(str(tmp_path / "plain.png"), photo)
    return tmp_path / "plain.png", photo


def test_face_is_the_detected_box(ann, recipe):
    photo = cv2.imread(str(ann), cv2.IMREAD_GRAYSCALE)
    face = recipe.face(ann, cropped=False)
    assert face.problem is None
    np.testing.assert_array_equal(face.image, crop(photo, recipe.detector(photo)[0], size=32))


@pytest.mark.parametrize("colour", [True, False])
def test_a_detector_that_wants_colour_is_given_it(colour, tmp_path, recipe):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
    given = []

    class Detector:
        def __call__(self, photo):
            given.append(photo)
            return whole(photo)

    Detector.colour = colour
    made = replace(recipe, detector=Detector())
    for face in (made.face(path, cropped=False), made.verification_face(path, cropped=False)):
        assert face.image.shape == (32, 32)
    wanted = cv2.imread(str(path), cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    for photo in given:
        np.testing.assert_array_equal(photo, wanted)
    assert len(given) == 2


def test_border_widens_the_box(ann, recipe):
    photo = cv2.imread(str(ann), cv2.IMREAD_GRAYSCALE)
    x, y, side = recipe.detector(photo)[0]
    more = round(0.2 * side)
    wide = crop(photo, Box(x - more, y - more, side + 2 * more), size=32)
    face = replace(recipe, border=0.2).face(ann, cropped=False)
    np.testing.assert_array_equal(face.image, wide)


def test_every_face_of_a_photo_can_be_extracted(drawn, recipe):
    photo = np.concatenate([drawn(1, 1), drawn(2, 1)], axis=1)
    boxes = recipe.detector(photo)
    assert sorted(box.x // 96 for box in boxes) == [0, 1]
    for box in boxes:
        np.testing.assert_array_equal(recipe.extract(photo, box), crop(photo, box, size=32))


def test_cropped_photo_is_the_face_without_a_search(plain, recipe):
    path, photo = plain
    face = recipe.face(path, cropped=True)
    assert face.problem is None
    np.testing.assert_array_equal(face.image, crop(photo, Box(10, 0, 40), size=32))


def test_cropped_photo_without_a_face_cannot_be_aligned(plain, recipe):
    path, photo = plain
    aligning = replace(recipe, aligner=functools.partial(none))
    assert aligning.face(path, cropped=True).problem is None  # `none` of a config
    aligning = replace(recipe, aligner=lambda photo, box, *, size: crop(photo, box, size=size))
    assert aligning.face(path, cropped=True)[:2] == (None, NO_FACE)
    face = replace(aligning, detector=functools.partial(whole)).face(path, cropped=True)
    np.testing.assert_array_equal(face.image, crop(photo, Box(10, 0, 40), size=32))


def test_nothing_found_is_a_problem_or_the_middle(plain, recipe):
    path, photo = plain
    assert recipe.face(path, cropped=False)[:2] == (None, NO_FACE)
    face = recipe.verification_face(path, cropped=False)
    assert face.problem == NO_FACE
    np.testing.assert_array_equal(face.image, crop(photo, Box(20, 10, 20), size=32))


def test_damaged_photo_has_no_middle_either(tmp_path, recipe):
    (tmp_path / "a.jpg").write_bytes(b"")
    assert recipe.verification_face(tmp_path / "a.jpg", cropped=False)[:2] == (None, UNREADABLE)


def test_a_photo_that_may_not_be_read_is_not_called_damaged(tmp_path, recipe, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    monkeypatch.setattr("os.access", lambda *_: False)
    assert recipe.face(tmp_path / "a.jpg", cropped=False).problem == PRIVATE
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone.jpg")
    assert recipe.face(tmp_path / "link.jpg", cropped=False).problem == UNREADABLE


def test_keeping_fewer_faces_than_asked_for_is_an_error(recipe):
    with pytest.raises(InputError, match="max_photos=2"):
        replace(recipe, max_photos=2)
    assert replace(recipe, max_photos=3).max_photos == 3


def test_what_is_no_photo_has_its_reason(tmp_path, recipe):
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    (tmp_path / "b.jpg").write_bytes(b"\0\0\0\x24ftypmif1\0\0\0\0mif1heic")  # renamed
    (tmp_path / "c.mp4").write_bytes(b"\0\0\0\x20ftypisom\0\0\x02\0isommp41")
    (tmp_path / "2020").mkdir()
    why = [recipe.face(path, cropped=False).problem for path in sorted(tmp_path.iterdir())]
    assert why == [FOLDER, HEIC, UNREADABLE, HEIC, UNREADABLE]
