"""The circumstances of synthetic photos: in their ranges, repeatable, mostly frontal."""

import numpy as np
import pytest

from tripletlab.photos.conditions import draw_circumstance

SHOTS = [draw_circumstance(np.random.default_rng(seed)) for seed in range(400)]


def values(name):
    return np.array([getattr(one, name) for one in SHOTS])


def test_a_circumstance_follows_from_the_seed():
    assert draw_circumstance(np.random.default_rng(7)) == SHOTS[7] != SHOTS[8]


@pytest.mark.parametrize(("name", "limit"), [("yaw", 0.38), ("pitch", 0.22), ("roll", 0.16)])
def test_no_head_is_turned_beyond_what_the_detector_knows(name, limit):
    angles = values(name)
    assert np.abs(angles).max() == limit  # a normal draw, clipped
    assert np.mean(np.abs(angles) < limit / 2) > 0.5
    assert abs(angles.mean()) < limit / 10


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("scale", 0.33, 0.40),
        ("ambient", 0.3, 0.65),
        ("exposure", 0.75, 1.3),
        ("gamma", 0.8, 1.25),
        ("blur", 0.002, 0.009),
        ("noise", 0.004, 0.03),
        ("seed", 0, 2**32 - 1),
    ],
)
def test_a_value_fills_its_range(name, low, high):
    drawn = values(name)
    assert low <= drawn.min() <= drawn.max() <= high
    assert np.ptp(drawn) > 0.95 * (high - low)


def test_the_light_is_a_direction_from_the_front():
    lights = values("light")
    np.testing.assert_allclose(np.linalg.norm(lights, axis=1), 1)
    assert (lights[:, 2] > 0).all()


@pytest.mark.parametrize("name", ["mouth_open", "blink"])
def test_mouths_and_eyes_close_no_further_than_shut(name):
    drawn = values(name)
    assert drawn.min() == 0
    assert 0.2 < (drawn > 0).mean() < 0.5


def test_who_owns_glasses_wears_them_mostly():
    assert values("glasses").mean() == pytest.approx(0.85, abs=0.06)
