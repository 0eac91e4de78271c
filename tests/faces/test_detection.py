import functools

import cv2
import numpy as np
import pytest

from tripletlab.faces.detection import Box, haar

find = functools.partial(haar, scale_factor=1.1, min_neighbors=4, min_size=30)


def test_found_box_is_around_the_face(drawn):
    for person in range(10):
        box = find(drawn(person, 1))
        assert isinstance(box, Box)
        assert abs(box.x + box.side / 2 - 48) < 10
        assert abs(box.y + box.side / 2 - 48) < 12
        assert 50 <= box.side <= 96


def test_no_face_in_noise_and_plain_grey():
    noise = np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)
    assert find(noise) is None
    assert find(np.full((96, 96), 128, np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (20, 20)])
def test_photo_smaller_than_a_face_has_none(shape):
    assert find(np.zeros(shape, np.uint8)) is None


def test_faces_below_the_minimum_are_passed_over(drawn):
    assert find(drawn(1, 1), min_size=95) is None


def test_the_central_face_is_taken(drawn):
    """It is taken although the one at the edge is a little larger."""
    photo = np.full((120, 400), 60, np.uint8)
    photo[0:120, 0:120] = cv2.resize(drawn(1, 1), (120, 120))
    photo[10:106, 152:248] = drawn(1, 1)
    box = find(photo)
    assert box is not None
    assert 152 <= box.x < 248


def test_the_larger_face_is_taken(drawn):
    """It is taken although the smaller one is a little nearer to the middle."""
    photo = np.full((200, 400), 60, np.uint8)
    photo[52:148, 62:158] = drawn(1, 1)
    photo[4:196, 204:396] = np.kron(drawn(1, 1), np.ones((2, 2), np.uint8))
    box = find(photo)
    assert box is not None
    assert box.x >= 204
