"""What a frame's colour says."""

import math

import pytest

from tripletlab.webcam.colours import AMBER, CLOSE, GREEN, GREY, RED, colour_of


@pytest.mark.parametrize(
    ("distance", "colour"),
    [
        (None, GREY),
        (0.0, GREEN),
        (0.99 - CLOSE, GREEN),
        (1.01 - CLOSE, AMBER),
        (0.99 + CLOSE, AMBER),
        (1.01 + CLOSE, RED),
        (4.0, RED),
        (math.nan, RED),
        (-math.inf, RED),
    ],
)
def test_green_is_a_known_person_and_a_number_that_is_none_is_nobody(distance, colour):
    assert colour_of(distance, 1.0) == colour


def test_no_threshold_lets_nobody_pass():
    assert colour_of(0.0, math.nan) == RED
