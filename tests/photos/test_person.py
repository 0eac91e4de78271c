"""Synthetic people's traits: in their ranges, repeatable, different from each other."""

import numpy as np
import pytest

from tripletlab.photos.person import HAIRS, IRISES, RANGES, SKINS, colour, draw_person

PEOPLE = [draw_person(np.random.default_rng(seed)) for seed in range(300)]


def test_a_person_follows_from_the_seed():
    again = draw_person(np.random.default_rng(7))
    for trait, value in vars(PEOPLE[7]).items():
        np.testing.assert_array_equal(getattr(again, trait), value)
    assert again.width != PEOPLE[8].width


@pytest.mark.parametrize("trait", RANGES)
def test_a_trait_fills_its_range(trait):
    low, high = RANGES[trait]
    values = np.array([getattr(one, trait) for one in PEOPLE])
    assert values.min() >= low
    assert values.max() <= high
    assert np.ptp(values) > 0.95 * (high - low)
    assert values.mean() == pytest.approx((low + high) / 2, abs=0.1 * (high - low))


@pytest.mark.parametrize(
    ("trait", "share", "low", "high"),
    [
        ("fringe", 0.3, 0.05, 0.22),
        ("beard", 0.3, 0.3, 0.9),
        ("moustache", 0.35, 0.3, 0.9),
        ("glasses", 0.25, 0.5, 0.95),
    ],
)
def test_some_have_it_and_others_not(trait, share, low, high):
    values = np.array([getattr(one, trait) for one in PEOPLE])
    worn = values[values > 0]
    assert len(worn) / len(PEOPLE) == pytest.approx(share, abs=0.09)  # three standard errors
    assert low <= worn.min() <= worn.max() <= high


@pytest.mark.parametrize(("part", "palette"), [("skin", SKINS), ("hair", HAIRS), ("iris", IRISES)])
def test_a_colour_is_one_of_its_palette(part, palette):
    colours = np.array([getattr(one, part) for one in PEOPLE])
    assert colours.dtype == np.float32
    assert colours.shape == (300, 3)
    assert (colours > 0).all()
    assert (colours <= 1.08 * palette.max(axis=0) + 1e-6).all()
    assert (colours.std(axis=0) > 0.02).all()


def test_hair_is_darker_than_the_skin():
    assert all((one.hair <= 0.9 * one.skin + 1e-6).all() for one in PEOPLE)


def test_there_are_up_to_three_marks_on_the_face():
    assert {len(one.marks) for one in PEOPLE} == {0, 1, 2, 3}
    marks = np.concatenate([one.marks for one in PEOPLE])
    assert marks.shape[1] == 4
    assert (np.abs(marks[:, 0]) <= 0.5).all()
    assert (marks[:, 2] > 0).all()


def test_a_colour_is_made_of_its_parts():
    assert colour(0.25, 0.5, 1).tolist() == [0.25, 0.5, 1]
