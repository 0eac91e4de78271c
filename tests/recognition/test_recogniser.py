"""1:1 and 1:N, at and beside the threshold."""

import numpy as np
import pytest

from tripletlab.faces.detection import Box
from tripletlab.recognition.gallery import Gallery, Shot
from tripletlab.recognition.recogniser import Found, identify, verify

AXES = np.eye(4, dtype=np.float32)


def found(embedding):
    return Found(Box(0, 0, 8), np.zeros((64, 64), np.uint8), embedding)


def test_two_faces_are_one_person_up_to_the_threshold():
    near = (AXES[0] + AXES[1]) / np.sqrt(2, dtype=np.float32)
    distance = 2 - np.sqrt(2)
    assert verify(found(AXES[0]), found(near), threshold=distance + 1e-6).same
    assert not verify(found(AXES[0]), found(near), threshold=distance - 1e-6).same
    answer = verify(found(near), found(AXES[0]), threshold=4)
    assert answer.distance == pytest.approx(distance, abs=1e-6)


def test_a_stranger_is_nobody_and_yet_has_a_nearest(tmp_path):
    gallery = Gallery(tmp_path / "g", fingerprint="m", dim=4)
    assert identify(found(AXES[0]), gallery.enrolled, threshold=4, people=3).name is None
    gallery.add("Ada", [Shot(AXES[0], b"")])
    gallery.add("Bo", [Shot(AXES[1], b"")])
    known = identify(found(AXES[1]), gallery.enrolled, threshold=0.5, people=3)
    assert (known.name, [one.name for one in known.nearest]) == ("Bo", ["Bo", "Ada"])
    stranger = identify(found(AXES[2]), gallery.enrolled, threshold=0.5, people=1)
    assert stranger.name is None
    assert stranger.nearest[0].distance == pytest.approx(2, abs=1e-6)
