"""1:1 and 1:N, at and beside the threshold."""

import numpy as np
import pytest

from tests.recognition.conftest import DIM
from tests.recognition.test_bundle import PAPER
from tripletlab.faces.detection import Box
from tripletlab.recognition.gallery import Gallery, Shot
from tripletlab.recognition.recogniser import EmbeddedFace, Recogniser, identify, verify
from tripletlab.recognition.search import Enrolled

AXES = np.eye(4, dtype=np.float32)


def found(embedding):
    return EmbeddedFace(Box(0, 0, 8), np.zeros((64, 64), np.uint8), embedding)


def test_two_faces_are_one_person_up_to_the_threshold():
    close = (AXES[0] + AXES[1]) / np.sqrt(2, dtype=np.float32)
    distance = 2 - np.sqrt(2)
    assert verify(found(AXES[0]), found(close), threshold=distance + 1e-6).same
    assert not verify(found(AXES[0]), found(close), threshold=distance - 1e-6).same
    result = verify(found(close), found(AXES[0]), threshold=4)
    assert result.distance == pytest.approx(distance, abs=1e-6)


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


NONE = {
    "no numbers": [np.nan] * 4,
    "one that is none": [1, 0, np.nan, 0],
    "zeros": [0] * 4,
    "infinite": [np.inf, 0, 0, 0],
    "too long": [3, 0, 0, 0],
    "too short": [0.9, 0, 0, 0],
    "too large to square": [1e30, 0, 0, 0],
}


@pytest.mark.parametrize("what", NONE)
def test_what_is_no_unit_vector_is_nobody_however_loose_the_threshold(what):
    embedding = np.array(NONE[what], np.float32)
    enrolled = Enrolled(["Ada"], AXES[:1], np.array([0, 1]))
    result = identify(found(embedding), enrolled, threshold=4, people=3)
    assert (result.name, result.nearest) == (None, [])
    for pair in [(embedding, AXES[0]), (AXES[0], embedding), (embedding, embedding)]:
        distance, same = verify(*map(found, pair), threshold=4)
        assert np.isnan(distance)
        assert same is False
    with pytest.raises(ValueError, match="unit length"):
        Enrolled(["Ada"], embedding[None], np.array([0, 1]))


@pytest.mark.parametrize("threshold", [np.nan, -0.1])
def test_no_threshold_lets_nobody_pass(threshold):
    enrolled = Enrolled(["Ada"], AXES[:1], np.array([0, 1]))
    assert identify(found(AXES[0]), enrolled, threshold=threshold, people=1).name is None
    assert not verify(found(AXES[0]), found(AXES[0]), threshold=threshold).same


def test_the_photo_of_a_face_without_an_embedding_is_unknown(write, tmp_path):
    """The network cannot embed a black face; a detector that takes the whole photo finds it."""
    detector = {"_target_": "tripletlab.faces.detection.whole", "_partial_": True}
    bundle = write(tmp_path / "bundle", PAPER | {"detector": detector})
    enrolled = Enrolled(["Ada"], np.eye(1, DIM, dtype=np.float32), np.array([0, 1]))
    recogniser = Recogniser(bundle, enrolled, threshold=4)
    (black,) = recogniser.recognise(np.zeros((80, 80), np.uint8))
    (other,) = recogniser.recognise(np.random.default_rng(0).integers(0, 255, (80, 80), np.uint8))
    assert (black.name, other.name) == (None, "Ada")
