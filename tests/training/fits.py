"""Small networks, batches and fits that the tests of training share."""

import keras
import numpy as np

from tests.stores import make_store
from tripletlab.architectures.network import network
from tripletlab.architectures.tables import simple_cnn
from tripletlab.training.augmentation import none
from tripletlab.training.batches import PeopleByPhotos
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import hard, semihard
from tripletlab.triplets.regularizers import none as none_added


def small_network():
    return network(
        table=simple_cnn(),
        input_size=32,
        embedding_dim=16,
        width=0.25,
        batch_norm=False,
        pool=None,
        dtype="float32",
    )


def dense_network():
    """One layer: a fit of it takes a second."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Flatten(),
            keras.layers.Dense(8),
            keras.layers.UnitNormalization(),
        ]
    )


def small_batches(*, seed):
    return PeopleByPhotos(
        make_store(entries=12, photos=6),
        people=4,
        photos=4,
        steps=4,
        augmentation=none,
        miner=semihard,
        seed=seed,
    )


def unit(seed, shape=(12, 8)):
    points = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def settings(**changes):
    return {
        "miner": hard,
        "loss": hinge,
        "regularizer": none_added,
        "margin": 0.3,
        "batch_size": 12,
        "seed": 0,
        **changes,
    }


def decayed_network():
    """Eight numbers to eight: a layer with weight decay, and one whose activity costs, nested."""
    inner = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(8, kernel_regularizer="l2", name="decayed"),
            keras.layers.ActivityRegularization(l1=0.01),
        ]
    )
    return keras.Sequential([keras.Input((8,)), inner, keras.layers.UnitNormalization()])


class Silent:
    def __init__(self):
        self.losses, self.steps, self.before = [], 0, []

    def resumed(self, epochs):
        self.before = list(epochs)

    def step(self):
        self.steps += 1

    def epoch(self, epoch, metrics):
        self.losses.append(metrics["train/loss"])
