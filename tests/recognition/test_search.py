"""The search of the nearest people against loops, and what has no distance."""

import numpy as np
import pytest

from tripletlab.recognition.search import Enrolled, is_match, is_unit


def units(rng, *shape):
    vectors = rng.normal(size=shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_loops_find(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, 7)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    faces, probe = units(rng, offsets[-1], 16), units(rng, 16)
    names = [f"person {number}" for number in range(7)]
    gallery = Enrolled(names, faces, offsets)
    assert len(gallery) == sizes.sum()
    nearest = {
        name: min(float(((face - probe) ** 2).sum()) for face in faces[start:end])
        for name, start, end in zip(names, offsets, offsets[1:], strict=False)
    }
    for people in (1, 3, 7, 20):
        found = gallery.nearest(probe, people=people)
        assert [one.name for one in found] == sorted(nearest, key=nearest.get)[:people]
        for one in found:
            assert one.distance == pytest.approx(nearest[one.name], abs=1e-5)
    for name in names:
        (alone,) = gallery.only(name).nearest(probe, people=7)
        assert alone == (name, pytest.approx(nearest[name], abs=1e-5))
    few = gallery.only(names[5], names[2])
    assert {one.name for one in few.nearest(probe, people=7)} == {names[2], names[5]}
    assert few.nearest(probe, people=1)[0].distance == pytest.approx(
        min(nearest[names[2]], nearest[names[5]]), abs=1e-5
    )
    assert len(gallery.only()) == 0
    with pytest.raises(ValueError, match="Bob"):
        gallery.only("Bob")


def test_the_same_face_is_at_0_and_its_opposite_at_4():
    face = units(np.random.default_rng(0), 1, 128)
    gallery = Enrolled(["Ann"], face, np.array([0, 1]))
    assert 0 <= gallery.nearest(face[0], people=1)[0].distance < 1e-6
    assert gallery.nearest(-face[0], people=1)[0].distance == pytest.approx(4, abs=1e-5)


def test_an_empty_gallery_knows_nobody():
    nobody = Enrolled([], np.zeros((0, 4), np.float32), np.array([0]))
    assert nobody.nearest(np.array([1, 0, 0, 0], np.float32), people=1) == []
    assert len(nobody) == 0


BAD = [np.full(4, np.nan), np.zeros(4), np.array([np.inf, 0, 0, 0]), np.array([1.1, 0, 0, 0])]


@pytest.mark.parametrize("bad", BAD, ids=["nan", "zero", "inf", "too long"])
def test_what_is_no_unit_vector_is_nobody_and_cannot_be_enrolled(bad):
    bad = bad.astype(np.float32)
    good = np.array([[1, 0, 0, 0], [0, 1, 0, 0]], np.float32)
    assert Enrolled(["Ann", "Bob"], good, np.array([0, 1, 2])).nearest(bad, people=2) == []
    with pytest.raises(ValueError, match="not of unit length"):
        Enrolled(["Ann", "Bob"], np.stack([good[0], bad]), np.array([0, 1, 2]))
    assert is_unit(np.stack([good[0], bad])).tolist() == [True, False]


def test_the_threshold_itself_is_a_match_and_nan_is_none():
    assert is_match(1.0, 1.0)
    assert is_match(0.0, 0.0)
    assert not is_match(1.0 + 1e-9, 1.0)
    for distance, threshold in ((np.nan, 4.0), (0.0, np.nan), (-1.0, 1.0)):
        assert not is_match(distance, threshold)
