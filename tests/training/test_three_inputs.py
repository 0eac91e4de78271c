"""The paper's graph against the one-pass one: equal triplets, equal losses, equal steps."""

import keras
import numpy as np
import pytest

from tests.training.fits import small_network
from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.training import backend
from tripletlab.training.model import TripletModel
from tripletlab.training.three_inputs import ThreeInputs, three_inputs
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import given, semihard
from tripletlab.triplets.regularizers import none

SETTINGS = {"loss": hinge, "regularizer": none, "margin": 0.5, "batch_size": 12, "seed": 0}


def triplets():
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (12, 32, 32, 1)).astype(np.uint8)
    return faces, np.array([0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3, 0], np.int32)


def model(kind, embedder, rate=1e-2):
    made = kind(embedder, miner=given, **SETTINGS)
    made.compile(optimizer=keras.optimizers.SGD(rate), jit_compile=False)
    return made


def test_on_equal_triplets_the_loss_and_the_step_are_the_one_pass_models():
    backend.start(seed=1)
    faces, labels = triplets()
    one, other = small_network(), small_network()
    other.set_weights(one.get_weights())
    before = one(faces.astype(np.float32)).numpy()
    a, p, n = np.split(before, 3)
    expected = np.maximum(((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 0.5, 0).mean()
    assert expected > 0
    losses = [
        kind_model.train_on_batch(faces, labels, return_dict=True)["loss"]
        for kind_model in (model(TripletModel, one), model(ThreeInputs, other))
    ]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for left, right in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)
    assert np.abs(one(faces.astype(np.float32)).numpy() - before).max() > 1e-5


def test_three_inputs_three_outputs_one_set_of_weights():
    embedder = small_network()
    made = three_inputs(embedder)
    assert [one.name for one in made.inputs] == ["anchor", "positive", "negative"]
    assert [tuple(one.shape) for one in made.outputs] == [(None, 16)] * 3
    assert made.count_params() == embedder.count_params()
    assert len(ThreeInputs(embedder, miner=given, **SETTINGS).trainable_variables) == len(
        embedder.trainable_variables
    )


def test_the_choice_brings_batches_of_triplets_along():
    assert config.compose("train", ["graph=three_inputs"]).choices["batches"] == "offline"
    both = ["batches=people_by_photos", "graph=three_inputs"]
    assert config.compose("train", both).choices["batches"] == "people_by_photos"


def test_it_takes_triplets_alone():
    with pytest.raises(InputError, match="batches=offline"):
        ThreeInputs(small_network(), miner=semihard, **SETTINGS)
