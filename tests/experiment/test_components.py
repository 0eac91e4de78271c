"""The parts of a run: what the network that is evaluated computes in."""

from dataclasses import replace

import numpy as np
import pytest

from tests.stores import make_pairs, make_store
from tests.training.fits import dense_network
from tripletlab import config
from tripletlab.config import Component
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
