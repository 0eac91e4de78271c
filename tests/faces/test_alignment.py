import functools
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripletlab.errors import InputError
from tripletlab.faces.alignment import Aligned, affine, plausible, similarity, warp
from tripletlab.faces.cropping import crop, grown
from tripletlab.faces.detection import Box
from tripletlab.faces.landmark_training import draw
from tripletlab.faces.landmarks import NAMES, regressed
from tripletlab.faces.recipe import NO_FACE, UNALIGNED

TRIPLE = {
    "left_inner_eye": (0.4, 0.38),
    "right_inner_eye": (0.6, 0.38),
    "bottom_lip": (0.5, 0.82),
}


def exactly(points):
    """A finder that gives these points."""
    return lambda photo, box: points


@given(
    angle=st.floats(-0.7, 0.7),
    scale=st.floats(0.2, 5),
    shift=st.tuples(st.floats(-90, 90), st.floats(-90, 90)),
    seed=st.integers(0, 99),
)
def test_a_similarity_is_found_again(angle, scale, shift, seed):
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.random.default_rng(seed).uniform(0, 100, (4, 2))
    wanted = np.column_stack([linear, shift])
    moved = points @ linear.T + shift
    np.testing.assert_allclose(similarity(points, moved), wanted, atol=1e-6)
    np.testing.assert_allclose(affine(points, moved), wanted, atol=1e-6)


def test_no_similarity_is_nearer_than_the_one_found():
    rng = np.random.default_rng(0)
    points, wanted = rng.uniform(0, 100, (2, 5, 2))

    def missed(matrix):
        return ((points @ matrix[:, :2].T + matrix[:, 2] - wanted) ** 2).sum()

    best = similarity(points, wanted)
    for _ in range(200):
        angle, scale = rng.normal(0, 0.05), rng.normal(1, 0.05)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        other = np.column_stack([turn @ best[:, :2], best[:, 2] + rng.normal(0, 1, 2)])
        assert missed(other) >= missed(best)


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
def test_warp_shows_each_place_where_the_matrix_says(scale):
    down, right = np.mgrid[:120, :160].astype(float)
    photo = np.rint(40 + 0.9 * right + 0.4 * down).astype(np.uint8)  # its grey tells the place
    angle = 0.2
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    box = Box(50, 30, 60)
    shift = np.array([20, 20]) - linear @ [80, 60]
    face = warp(photo, box, np.column_stack([linear, shift]), size=40)
    for x, y in ((20, 20), (14, 25), (28, 12)):
        place = np.linalg.inv(linear) @ (np.array([x, y]) - shift)
        assert face[y, x] == pytest.approx(40 + 0.9 * place[0] + 0.4 * place[1], abs=1.5)


def dot_in(aligner, place):
    """Where a bright dot at this place of a dark photo is in the face."""
    photo = np.zeros((140, 140), np.uint8)
    x, y = place
    photo[y - 1 : y + 2, x - 1 : x + 2] = 200
    moments = cv2.moments(aligner(photo, Box(25, 30, 80), size=64))
    return np.array([moments["m10"], moments["m01"]]) / moments["m00"]


@pytest.mark.parametrize("transform", ["similarity", "affine"])
def test_landmarks_come_to_their_places(transform):
    points = np.full((len(NAMES), 2), 50.0)
    places = {"left_inner_eye": (52, 61), "right_inner_eye": (71, 58), "bottom_lip": (65, 98)}
    for name, place in places.items():
        points[NAMES.index(name)] = place
    aligner = Aligned(exactly(points), TRIPLE, transform)
    tolerance = 0.3 if transform == "affine" else 4  # three places are more than it can meet
    for name, wanted in TRIPLE.items():
        found = dot_in(aligner, places[name])
        np.testing.assert_allclose(found, np.array(wanted) * 64 - 0.5, atol=tolerance)


def test_the_middles_of_the_eyes_come_to_their_places():
    """Two places are what a similarity can meet exactly."""
    points = np.full((len(NAMES), 2), 50.0)
    points[:4] = [(42, 60), (52, 64), (73, 60), (83, 56)]  # corners, from left to right
    places = {"left_eye": (0.3, 0.4), "right_eye": (0.7, 0.4)}
    aligner = Aligned(exactly(points), places, "similarity")
    for middle, wanted in (((47, 62), (0.3, 0.4)), ((78, 58), (0.7, 0.4))):
        found = dot_in(aligner, middle)
        np.testing.assert_allclose(found, np.array(wanted) * 64 - 0.5, atol=0.3)


@pytest.mark.parametrize(
    "points",
    [
        np.full((8, 2), np.nan),
        np.full((8, 2), 40.0),
        np.array([[60, 90], [55, 90], [45, 90], [40, 90], [50, 70], [55, 50], [45, 50], [50, 48]]),
        np.array(
            [[49, 40], [49.5, 40], [50.5, 40], [51, 40], [50, 70], [45, 90], [55, 90], [50, 99]]
        ),
    ],
    ids=["unknown", "one point", "upside down", "squeezed"],
)
def test_what_is_no_face_is_not_aligned(points, drawn, recipe, grow):
    aligner = Aligned(exactly(np.asarray(points, float)), TRIPLE, "affine")
    box = Box(20, 15, 60)
    photo = drawn(1, 1)
    assert aligner(photo, box, size=32) is None
    strict = replace(recipe, aligner=aligner)
    np.testing.assert_array_equal(strict.extract(photo, box), crop(photo, box, size=32))
    path = grow("tree", {"Ann": 1}) / "Ann" / "Ann_0001.png"
    assert strict.face(path, cropped=False)[:2] == (None, UNALIGNED)
    face = strict.verification_face(path, cropped=False)
    assert face.problem == UNALIGNED
    np.testing.assert_array_equal(face.image, recipe.face(path, cropped=False).image)


def test_plausible_is_what_a_detector_could_have_found():
    box = Box(0, 0, 64)
    upright = np.array([[1.0, 0, 0], [0, 1, 0]])
    assert plausible(upright, box, size=64)
    assert plausible(1.9 * upright, box, size=64)
    assert not plausible(2.1 * upright, box, size=64)
    assert not plausible(0.45 * upright, box, size=64)
    assert not plausible(-upright, box, size=64)
    assert not plausible(upright * [1, -1, 1], box, size=64)
    assert not plausible(upright * [1.7, 1, 1], box, size=64)


@pytest.mark.parametrize(
    ("places", "transform", "hint"),
    [
        ({"chin": (0.5, 0.9), "left_eye": (0.3, 0.4)}, "similarity", "chin is none of"),
        ({"left_eye": (0.3, 0.4)}, "similarity", "needs 2"),
        ({"left_eye": (0.3, 0.4), "right_eye": (0.7, 0.4)}, "affine", "needs 3"),
    ],
)
def test_wrong_places_are_one_line(places, transform, hint):
    with pytest.raises(InputError, match=hint):
        Aligned(functools.partial(regressed), places, transform)


def test_alignment_brings_a_persons_eyes_together():
    """Over many photos the true landmarks scatter less in aligned faces than in boxes."""
    known = [one for number in range(10) for one in draw([7, number], photos=3, turns=1.0)]
    names = list(TRIPLE)
    wanted = np.array(list(TRIPLE.values())) * 64 - 0.5
    rows = [NAMES.index(name) for name in names]
    boxed, aligned = [], []
    for one in known:
        truth = one.points[rows]
        boxed.append((truth - one.box[:2] + 0.5) * 64 / one.box.side - 0.5)
        matrix = similarity(regressed(one.photo, one.box)[rows], wanted)
        aligned.append(truth @ matrix[:, :2].T + matrix[:, 2])
    assert np.std(aligned, axis=0).mean() < 0.7 * np.std(boxed, axis=0).mean()


def test_cropped_faces_come_to_the_same_places(recipe, tmp_path):
    """Cut out so tightly that the detector misses most, they are aligned as in their photos."""
    aligner = Aligned(functools.partial(regressed), TRIPLE, "similarity")
    aligning, missed, apart, untouched = replace(recipe, aligner=aligner), 0, [], []
    for number in range(12):
        for one in draw([7, number], photos=1, turns=1.0):
            tight = grown(one.box, border=-0.1)
            cropped, photo = tmp_path / "cropped.png", tmp_path / "photo.png"
            cv2.imwrite(str(cropped), crop(one.photo, tight, size=tight.side))
            cv2.imwrite(str(photo), one.photo)
            missed += aligning.face(cropped, cropped=False).problem == NO_FACE
            wanted = aligning.face(photo, cropped=False).image.astype(float)
            face = aligning.face(cropped, cropped=True)
            assert face.problem is None
            apart.append(np.abs(face.image - wanted).mean())
            untouched.append(np.abs(recipe.face(cropped, cropped=True).image - wanted).mean())
    assert missed >= 6
    assert np.mean(apart) < 0.5 * np.mean(untouched)
