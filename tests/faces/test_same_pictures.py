from dataclasses import replace

import numpy as np
import pytest

from tests.stores import make_pairs, make_store
from tripletlab.faces.same_pictures import SharedPictures, shared_pictures
from tripletlab.faces.store import VALIDATION

NAMES = ("Ann", "Ben", "Cem", "Dan", "Eva", "Fay")
NOTHING = SharedPictures([], 0, [])


def two_sets():
    """Six people with two faces each, and five others with two in the test pairs."""
    faces = replace(make_store(entries=6, photos=2), names=NAMES, display_names=NAMES)
    pairs = make_pairs(people=5, photos=2)
    names = tuple(np.repeat(["Gus", "Hal", "Ida", "Jan", "Kim"], 2).tolist())
    return faces, replace(pairs, names=names, display_names=names)


def with_copy(store, row, picture):
    images = store.images.copy()
    images[row] = picture
    return replace(store, images=images)


def test_different_pictures_are_not_shared():
    assert shared_pictures(*two_sets()) == NOTHING


def test_a_picture_of_two_people_is_shared():
    faces, pairs = two_sets()
    faces = with_copy(faces, 7, faces.images[0])
    assert shared_pictures(faces, pairs) == SharedPictures([(0, 7)], 0, [])
    split = np.where(np.arange(6) == 3, VALIDATION, 0)
    assert shared_pictures(replace(faces, split=split), pairs) == SharedPictures([(0, 7)], 1, [])


def test_a_picture_is_not_shared_by_one_person():
    faces, pairs = two_sets()
    faces = with_copy(with_copy(faces, 1, faces.images[0]), 7, faces.images[0])
    names = ("Ann", "Ben", "Cem", "ann", "Eva", "Fay")
    assert shared_pictures(replace(faces, names=names), pairs) == NOTHING


def test_plain_faces_are_no_picture():
    faces, pairs = two_sets()
    faces = with_copy(with_copy(faces, 0, 0), 7, 0)
    assert shared_pictures(faces, with_copy(pairs, 2, 0)) == NOTHING


@pytest.mark.parametrize(
    ("names", "called", "shared"),
    [
        ("Hal", "Hal", [(0, 2)]),
        ("Ann", "Ann", []),  # known by name: what hygiene.shared says holds
        ("n000001", "ANN", []),
        ("n000001", "", [(0, 2)]),
    ],
)
def test_a_test_picture_that_is_trained_on_is_shared_unless_the_name_is(names, called, shared):
    faces, pairs = two_sets()
    pairs = with_copy(pairs, 2, faces.images[0])
    own = pairs.names[:2] + (names,) * 2 + pairs.names[4:]
    pairs = replace(pairs, names=own, display_names=own[:2] + (called,) * 2 + own[4:])
    assert shared_pictures(faces, pairs) == SharedPictures([], 0, shared)


def test_held_out_pairs_are_of_the_faces_themselves():
    faces, pairs = two_sets()
    pairs = with_copy(pairs, 2, faces.images[0])
    pairs = replace(pairs, notes={**pairs.notes, "held_out_of": "0"})
    assert shared_pictures(faces, pairs) == NOTHING
