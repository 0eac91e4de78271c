"""The parts of a run: what the network that is evaluated computes in."""

import re
from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.stores import make_pairs, make_store
from tests.training.fits import dense_network
from tripletlab import config
from tripletlab.config import Component
from tripletlab.errors import InputError
from tripletlab.experiment.components import build_components
from tripletlab.experiment.data import Data
from tripletlab.photos.pairs import Pairs

MIXED = "mixed_bfloat16"


def without_dtype(*, input_size):
    return dense_network()


@pytest.fixture(scope="module")
def data():
    pairs = Pairs(np.array([0, 0]), np.array([1, 6]), np.array([True, False]), np.array([0, 0]))
    faces = replace(make_store(entries=12, photos=6), validation=pairs)
    return Data(faces, make_pairs(people=4, photos=2))


def built(data, *overrides, **changes):
    words = ["architecture=simple_cnn", "architecture.width=0.25", "batches.people=4"]
    composed = config.compose("train", [*words, "batches.photos=4", *overrides])
    return build_components(composed.model_copy(update=changes), data)


@pytest.mark.parametrize(
    ("overrides", "trained"),
    [
        ([], "float32"),
        ([f"dtype={MIXED}"], "bfloat16"),
        ([f"architecture.dtype={MIXED}"], "bfloat16"),
        ([f"dtype={MIXED}", "architecture.dtype=float32"], "float32"),
    ],
)
def test_the_evaluated_network_computes_in_float32(data, overrides, trained):
    parts = built(data, *overrides)
    computing = {layer.compute_dtype for layer in parts.model.embedder.layers if layer.weights}
    assert computing == {trained, "float32"}  # the last layer always in float32
    assert {layer.compute_dtype for layer in parts.embedder.layers} == {"float32"}
    assert (parts.embedder is parts.model.embedder) == (trained == "float32")


def test_a_network_without_a_dtype_is_trained_and_evaluated_in_float32(data):
    own = Component(without_dtype, {}, partial=False, settings={})
    parts = built(data, f"dtype={MIXED}", architecture=own)
    assert parts.embedder is parts.model.embedder
    assert {layer.compute_dtype for layer in parts.embedder.layers} == {"float32"}


class Coded(keras.Model):
    def __init__(self, *, input_size):
        super().__init__()


def of(*shape, out=8, unit=True, dtype="float32"):
    """A network of one's own from faces of this shape."""
    stack = [keras.layers.Flatten(), keras.layers.Dense(out)] if out else []
    stack += [keras.layers.UnitNormalization(dtype=dtype)] if unit else []
    return lambda *, input_size: keras.Sequential([keras.Input(shape), *stack])


def dead(*, input_size):
    layer = keras.layers.Dense(8, kernel_initializer="zeros")
    unit = keras.layers.UnitNormalization()
    return keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), layer, unit])


REFUSED = {
    "length": (of(32, 32, 1, unit=False), "has length [0-9.]+ and not 1: end the network with"),
    "colour": (of(32, 32, 3), re.escape("it maps (None, 32, 32, 3) to (None, 8)")),
    "size": (of(64, 64, 1), re.escape("it maps (None, 64, 64, 1) to (None, 8)")),
    "map": (of(32, 32, 1, out=0), re.escape("it maps (None, 32, 32, 1) to (None, 32, 32, 1)")),
    "code": (Coded, re.escape("its shapes are not known: build it from keras.Input((32, 32, 1))")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_network_without_unit_embeddings_of_grey_faces_is_refused(name, data):
    target, message = REFUSED[name]
    with pytest.raises(InputError, match=f"^architecture=simple_cnn: [^\n]*{message}"):
        built(data, architecture=Component(target, {}, partial=False, settings={}))


@pytest.mark.parametrize("target", [dead, of(32, 32, 1, dtype="bfloat16")])
def test_a_dead_or_rounding_network_is_not_refused_for_its_length(target, data):
    built(data, architecture=Component(target, {}, partial=False, settings={}))
