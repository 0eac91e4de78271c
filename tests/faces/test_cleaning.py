from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.faces.conftest import NOTHING
from tripletlab.faces.cleaning import (
    BLURRED,
    EMPTY,
    NO_SECOND,
    SMALL,
    TEXT,
    Cleaning,
    empty,
    perceptual_hash,
    second_detections,
    sharpness,
)
from tripletlab.faces.cropping import crop
from tripletlab.faces.detection import Box
from tripletlab.faces.landmark_training import draw
from tripletlab.faces.overlay_text import letters_in_line

ALL = Cleaning(
    min_side=40,
    min_sharpness=0.39,
    max_empty=0.2,
    max_letters=4,
    min_second=1,
    max_same_bits=64,
)


@pytest.fixture(scope="module")
def known():
    return draw([98, 0], photos=3, turns=1.0)


def problem(photo, box, *, found=True):
    return ALL.problem(photo, box, crop(photo, box, size=64), found=found)


def test_a_good_photo_passes(known):
    assert [problem(one.photo, one.box) for one in known] == [None] * 3


def test_every_damage_has_its_reason(known):
    photo, box, _ = known[0]
    soft = cv2.GaussianBlur(photo, (0, 0), 0.06 * box.side)
    cut = photo.copy()
    cut[: box.y + box.side // 2] = 0
    lettered = photo.copy()
    cv2.putText(lettered, "PHOTO 2004", (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1)
    assert problem(soft, box) == BLURRED
    assert problem(cut, box) == EMPTY
    assert problem(lettered, box) == TEXT
    assert problem(photo, Box(box.x, box.y, 30)) == SMALL
    corner = Box(0, 0, 40)
    assert replace(NOTHING, min_second=1).problem(photo, corner, photo, found=True) == NO_SECOND
    assert replace(NOTHING, min_second=1).problem(photo, corner, photo, found=False) is None


def test_without_thresholds_everything_passes():
    black = np.zeros((64, 64), np.uint8)
    assert NOTHING.problem(black, Box(-30, -30, 99), black, found=True) is None
    assert NOTHING.hash(black) is None
    assert not NOTHING.repeats(perceptual_hash(black), [perceptual_hash(black)])


def test_sharpness_falls_with_blur_and_ignores_light(known):
    face = crop(known[0].photo, known[0].box, size=64)
    soft = [sharpness(cv2.GaussianBlur(face, (0, 0), sigma)) for sigma in (0.5, 1, 2, 4)]
    assert soft == sorted(soft, reverse=True)
    assert sharpness((face * 0.5 + 60).astype(np.uint8)) == pytest.approx(sharpness(face), rel=0.1)
    assert sharpness(np.full((64, 64), 9, np.uint8)) == 0


@pytest.mark.parametrize("turns", range(4))
def test_empty_is_the_part_of_the_box_beyond_or_plain(turns):
    photo = np.random.default_rng(0).integers(0, 256, (80, 80), np.uint8)
    photo[:20] = 255
    photo[40:60, 40:60] = 7  # plain, but not at the edge
    photo = np.rot90(photo, turns).copy()
    assert empty(photo, Box(0, 0, 80)) == pytest.approx(0.25, abs=0.03)
    assert empty(photo, Box(28, 28, 28)) == 0
    noise = np.random.default_rng(1).integers(0, 256, (80, 80), np.uint8)
    assert empty(noise, Box(-40, 0, 80)) == pytest.approx(0.5, abs=0.01)
    assert empty(noise, Box(0, 0, 80)) == 0


def test_letters_are_counted_in_the_longest_line(known):
    photo = cv2.resize(known[0].photo, (256, 256))
    before = letters_in_line(photo)
    counts = []
    for text in ("AB", "ABCDE", "ABCDEFGHI"):
        shown = photo.copy()
        cv2.putText(shown, text, (10, 240), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2)
        counts.append(letters_in_line(shown))
    assert before <= counts[0] < counts[1] < counts[2]
    assert counts[1] >= 4
    assert letters_in_line(np.zeros((60, 60), np.uint8)) == 0


def test_the_second_cascade_agrees_on_faces_alone(known):
    assert all(second_detections(one.photo, one.box) > 5 for one in known)
    assert second_detections(known[0].photo, Box(0, 0, 30)) == 0


def test_a_hash_stays_with_the_picture(known):
    first = known[0].photo
    small = cv2.resize(first, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    again = cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 0)
    own = perceptual_hash(first)
    assert own.shape == (256,)
    assert (own != perceptual_hash(again)).sum() <= 30
    assert (own != perceptual_hash(cv2.convertScaleAbs(first, alpha=0.7, beta=20))).sum() <= 30
    assert (own != perceptual_hash(known[1].photo)).sum() > 64
    assert ALL.repeats(perceptual_hash(again), [perceptual_hash(known[1].photo), own])
    assert not ALL.repeats(own, [])
    assert not ALL.repeats(own, [perceptual_hash(known[1].photo)])
