import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.faces.people import held
from tripletlab.errors import InputError
from tripletlab.evaluation.validation import Validation
from tripletlab.faces.splits import split_names as split_by_faces
from tripletlab.faces.splits import validation_pairs
from tripletlab.faces.store import (
    CALIBRATION,
    HELDOUT,
    TRAIN,
    VALIDATION,
    FaceStore,
)


def split_names(names, trees, recipe, *, heldout):
    """The splits of people with five faces each."""
    return split_by_faces(names, trees, recipe, faces=[5] * len(names), heldout=heldout)


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.5])
def test_split_gives_each_name_one_place(recipe, fraction):
    names = [f"n{number}" for number in range(100)]
    split = split_names(
        [*names, *names[:30]],
        [0] * 100 + [1] * 30,
        recipe,
        heldout=held(fraction) if fraction else None,
    )
    places = list(split.values())
    assert sorted(split) == sorted(names)
    assert places.count(HELDOUT) == round(100 * fraction)
    assert places.count(VALIDATION) == 30
    assert places.count(TRAIN) == 70 - round(100 * fraction)


def test_spellings_of_a_name_are_in_one_split_and_counted_once(recipe):
    names = [f"Ann {chr(97 + number)}" for number in range(20)]
    spelled = [name.upper().replace(" ", "_") for name in names]
    once = split_names(names, [0] * 20, recipe, heldout=held(0.3))
    split = split_names([*names, *spelled], [0] * 20 + [1] * 20, recipe, heldout=held(0.3))
    assert sorted(split) == sorted([*names, *spelled])
    assert all(split[one] == split[other] for one, other in zip(names, spelled, strict=True))
    count = Counter(split[name] for name in names)
    assert count == Counter(once.values())


def test_split_is_seeded_and_independent_of_the_order(recipe):
    names, trees = [f"n{number}" for number in range(40)], [0] * 40
    split = split_names(names, trees, recipe, heldout=held(0.2))
    shuffled = random.Random(0).sample(names, 40)
    assert split_names(shuffled, trees, recipe, heldout=held(0.2)) == split
    assert split_names(names, trees, replace(recipe, seed=2), heldout=held(0.2)) != split


def test_calibration_identities_are_of_the_training_ones_alone(recipe):
    names = [f"n{number}" for number in range(100)]
    trees = [0] * 100
    before = split_names(names, trees, recipe, heldout=held(0.2))
    calibrated = replace(recipe, calibration_fraction=0.1)
    split = split_names(names, trees, calibrated, heldout=held(0.2))
    assert list(split.values()).count(CALIBRATION) == 10
    assert all(split[name] == before[name] for name in names if split[name] != CALIBRATION)
    assert {before[name] for name in names if split[name] == CALIBRATION} == {TRAIN}
    few = split_names(names[:7], trees[:7], calibrated, heldout=None)
    assert CALIBRATION not in few.values()


@pytest.mark.parametrize(
    ("fractions", "heldout", "message"),
    [
        ({"calibration_fraction": 0.7}, 0.2, "calibration_fraction=0.7 calibrates with 14"),
        ({"calibration_fraction": 0.99}, None, "^of 20 people, faces.validation_fraction=0.3"),
        ({"validation_fraction": 0.99}, 0.2, "validation_fraction=0.99 validates with 20"),
        ({"validation_fraction": 0.2}, 0.9, "verification.fraction=0.9 holds out 18, "),
    ],
)
def test_fractions_that_leave_nobody_to_train_on_are_named(recipe, fractions, heldout, message):
    names = [f"n{number}" for number in range(20)]
    with pytest.raises(InputError, match=message) as error:
        split_names(
            names,
            [0] * 20,
            replace(recipe, **fractions),
            heldout=held(heldout) if heldout else None,
        )
    assert str(error.value).endswith("lower these fractions")


def test_smallest_split_still_validates_with_two(recipe):
    small = replace(recipe, validation_fraction=0.01)
    split = split_names(list("abcd"), [0] * 4, small, heldout=None)
    assert sorted(split.values()) == [TRAIN, TRAIN, VALIDATION, VALIDATION]


@pytest.mark.parametrize("few", [1, 2, 6, 20])
def test_every_split_of_two_trees_can_be_validated(recipe, few):
    """A tree has no validation identity, or two at least, or one who is the only one there."""
    names = [f"a{number}" for number in range(30)] + [f"b{number}" for number in range(few)]
    trees = np.array([0] * 30 + [1] * few)
    for seed in range(40):
        seeded = replace(recipe, seed=seed, validation_fraction=0.15, validation_pairs=10)
        split = split_names(names, trees.tolist(), seeded, heldout=None)
        counts = [
            sum(
                split[name] == VALIDATION
                for name, own in zip(names, trees, strict=True)
                if own == t
            )
            for t in (0, 1)
        ]
        assert counts[0] >= 2
        assert counts[1] != 1
        Validation(drawn_store(names, trees, split, seeded))


def drawn_store(names, trees, split, recipe):
    """A store of five faces each, with the validation pairs that a preparation would draw."""
    arrays = {
        "offsets": np.arange(len(names) + 1) * 5,
        "trees": trees,
        "split": np.array([split[name] for name in names]),
    }
    return FaceStore(
        title="two trees",
        images=np.zeros((5 * len(names), 4, 4), np.uint8),
        names=tuple(names),
        display_names=tuple(names),
        tree_names=("a", "b"),
        sources=("",) * 5 * len(names),
        validation=validation_pairs(arrays, recipe),
        settings={},
        fingerprint="",
        notes={},
        **arrays,
    )
