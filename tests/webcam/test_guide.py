"""Which photos the guide takes, and the hint when it takes none."""

import cv2
import numpy as np
import pytest

from tests.webcam.people import SIZE, picture
from tripletlab.faces.cropping import crop
from tripletlab.faces.detection import Box
from tripletlab.recognition.recogniser import EmbeddedFace
from tripletlab.webcam.guide import (
    CLOSER,
    DIFFERENT,
    PATIENCE,
    PAUSE,
    STEPS,
    Guide,
    difference,
)


def found(number, *, side=160, light=0, blur=0):
    """The middle of a synthetic person's picture, as the detector would find it."""
    grey = cv2.cvtColor(picture(3, number), cv2.COLOR_BGR2GRAY)
    grey = np.clip(grey.astype(int) + light, 0, 255).astype(np.uint8)
    face = crop(grey, Box(80, 80, 160), size=64)
    if blur:
        face = cv2.GaussianBlur(face, (0, 0), blur)
    return EmbeddedFace(Box(0, 0, side), face, np.array([0, 1], np.float32))


def walk(guide, sights, *, start=1000, pause=1.01 * PAUSE):
    """Offer the guide these frames one after the other; its hint for each, or "taken"."""
    said = []
    for time, faces in enumerate(sights, 1):
        taken = guide.offer(faces, height=SIZE, now=start + time * pause)
        said.append("taken" if taken else guide.hint)
    return said


@pytest.fixture
def waiting():
    """A guide that has been asking for long enough."""
    guide = Guide(furthest=1.9)
    guide.offer([], height=SIZE, now=1000)
    return guide


def test_a_person_who_follows_is_recorded_in_as_many_photos_as_steps(waiting):
    sights = [[found(n, side=200 if STEPS[n].closer else 160)] for n in range(len(STEPS))]
    assert walk(waiting, sights) == ["taken"] * len(STEPS)
    assert waiting.done
    assert waiting.prompt == ""
    assert waiting.offer(sights[0], height=SIZE, now=5000) is None


@pytest.mark.parametrize(
    ("sight", "says"),
    [
        ([], "No face"),
        ([found(1), found(2)], "only one person"),
        ([found(1, side=30)], "come closer"),
        ([found(1, light=-170)], "more light"),
        ([found(1, light=200)], "less light"),
        ([found(1, blur=3)], "hold still"),
        ([found(1)._replace(embedding=np.full(2, np.nan, np.float32))], "cannot embed"),
    ],
)
def test_an_unusable_photo_is_rejected_with_the_reason(sight, says, waiting):
    (said,) = walk(waiting, [sight])
    assert says in said
    assert waiting.taken == []


def test_somebody_else_is_rejected_however_long_the_wait(waiting):
    another = found(1)._replace(embedding=np.array([1, 0], np.float32))
    sights = [[found(0)], [another], [found(1)]]
    said = walk(waiting, sights, pause=PATIENCE + 2 * PAUSE)
    assert said == ["taken", "This looks like somebody else", "taken"]


def test_between_two_photos_there_is_time_to_follow(waiting):
    assert walk(waiting, [[found(0)]] * 3, pause=PAUSE / 2.5) == ["", "", "taken"]


def test_the_same_picture_is_not_taken_twice_unless_nothing_else_comes(waiting):
    same = [found(0)]
    assert walk(waiting, [same, same]) == [
        "taken",
        "Move a little: this is too similar to an earlier photo",
    ]
    assert walk(waiting, [same], pause=PATIENCE + 2 * PAUSE) == ["taken"]


def test_closer_means_larger(waiting):
    before = next(n for n, step in enumerate(STEPS) if step.closer)
    walk(waiting, [[found(n)] for n in range(before)])
    still, nearer = found(8), found(8, side=int(160 * CLOSER) + 1)
    said = walk(waiting, [[still], [nearer]], start=1003)
    assert said == ["A little closer still", "taken"]


def test_difference_is_of_the_pictures_and_not_of_their_light():
    one = found(1)
    paler = one._replace(face=(60 + 0.5 * one.face).astype(np.uint8))
    assert difference(one, paler) < 1
    assert difference(one, found(2)) > DIFFERENT > difference(one, one) == 0
    even = one._replace(face=np.full((64, 64), 128, np.uint8))
    assert np.isfinite(difference(even, one))
