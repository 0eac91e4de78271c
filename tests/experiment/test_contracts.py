"""Code of one's own that does something else than its contract says is one line."""

import re

import pytest
from keras import ops

from tripletlab import config
from tripletlab.config import Component
from tripletlab.config.files import choices_of
from tripletlab.errors import InputError
from tripletlab.experiment.contracts import check_contracts
from tripletlab.triplets.miners import semihard

NOUNS = ("miner", "loss", "regularizer", "margin_schedule", "rate_schedule")


def nothing(*given, **more):
    return None


def without_draws(distances, labels, *, margin):
    return semihard(distances, labels, margin=margin, draws=ops.zeros_like(distances))


def three(distances, labels, *, margin, draws):
    return tuple(semihard(distances, labels, margin=margin, draws=draws))


def mean(positive, negative, *, margin):
    return ops.mean(positive - negative + margin)


def of_each_pair(distances, labels, *, dim):
    return distances


def infinite(progress, **more):
    return float("inf")


WRONG = [
    *((noun, nothing, "nothing returns None, and not a") for noun in NOUNS),
    ("miner", without_draws, "cannot be called as its contract says: got an unexpected keyword"),
    ("miner", three, "three returns tuple, and not a Mined or an Every (tripletlab.triplets"),
    ("loss", mean, ", and not a finite number for each triplet"),
    ("regularizer", of_each_pair, "of shape (4, 4), and not a finite number"),
    ("margin_schedule", infinite, "infinite returns float, and not a finite number"),
    ("rate_schedule", infinite, "infinite returns float, and not a finite number"),
]


@pytest.mark.parametrize(("noun", "part", "message"), WRONG)
def test_what_breaks_its_contract_is_named(noun, part, message):
    composed = config.compose("train", [])
    own = Component(part, {}, partial=True, settings={"_target_": f"my_lab.{part.__name__}"})
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        check_contracts(composed.model_copy(update={noun: own}))
    assert str(raised.value).startswith(f"{noun}={composed.choices[noun]}: my_lab.{part.__name__}")


@pytest.mark.parametrize("noun", NOUNS)
def test_every_choice_keeps_its_contract(noun):
    for choice in choices_of(noun):
        check_contracts(config.compose("train", [f"{noun}={choice}"]))
