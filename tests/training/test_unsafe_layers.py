"""Strided 1×1 convolutions of few channels are refused wherever they stand in a network."""

import keras
import pytest
from keras import layers

from tests.training.fits import settings
from tripletlab.errors import InputError
from tripletlab.training import unsafe_layers
from tripletlab.training.model import TripletModel
from tripletlab.training.unsafe_layers import refuse_unsafe


@pytest.fixture(autouse=True)
def on_a_cpu(monkeypatch):
    monkeypatch.setattr(unsafe_layers, "on_cpu_with_onednn", lambda: True)


def of(*stack, channels=8, shape=(8, 8)):
    """The layers on top of each other, on so many channels."""
    return keras.Sequential([keras.Input((*shape, channels)), *stack])


class Own(layers.Layer):
    """A layer with a layer inside."""

    def __init__(self, inside):
        super().__init__()
        self.inside = [inside]

    def build(self, shape):
        self.inside[0].build(shape)

    def call(self, features):
        return self.inside[0](features)


def strided():
    return layers.Conv2D(16, 1, strides=2, name="shortcut")


UNSAFE = {
    "plain": lambda: of(strided()),
    "nested twice": lambda: of(of(of(strided()))),
    "in a layer of one's own": lambda: of(Own(strided())),
    "wrapped": lambda: of(
        layers.TimeDistributed(layers.Conv1D(16, 1, strides=2, name="shortcut"), name="wrapped")
    ),
    "one direction": lambda: of(layers.Conv2D(16, 1, strides=(1, 2), name="shortcut")),
    "one dimension": lambda: of(layers.Conv1D(16, 1, strides=2, name="shortcut"), shape=(64,)),
    "transposed": lambda: of(layers.Conv2DTranspose(8, 1, strides=2, name="shortcut"), channels=32),
}
SAFE = {
    "sixteen channels": lambda: of(strided(), channels=16),
    "stride 1": lambda: of(layers.Conv2D(16, 1)),
    "wider kernel": lambda: of(layers.Conv2D(16, (1, 3), strides=2)),
    "transposed, many filters": lambda: of(layers.Conv2DTranspose(16, 1, strides=2)),
    "separable": lambda: of(layers.SeparableConv2D(16, 1, strides=2)),
    "three dimensions": lambda: of(layers.Conv3D(16, 1, strides=2), shape=(8, 8, 8)),
    "pooled, then projected": lambda: of(layers.AveragePooling2D(2), layers.Conv2D(16, 1)),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_they_are_refused_with_the_remedy(name):
    with pytest.raises(InputError, match=r"layer shortcut is .* over 8 channels.* pool by the str"):
        refuse_unsafe(UNSAFE[name]())


@pytest.mark.parametrize("name", SAFE)
def test_what_is_near_but_safe_is_not(name):
    refuse_unsafe(SAFE[name]())


def test_a_model_that_would_learn_with_them_is_not_made():
    with pytest.raises(InputError, match="pool by the stride first, then project"):
        TripletModel(of(strided()), **settings())


def test_elsewhere_they_are_fine(monkeypatch):
    monkeypatch.setattr(unsafe_layers, "on_cpu_with_onednn", lambda: False)
    TripletModel(of(strided()), **settings())
