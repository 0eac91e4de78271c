"""Rows of a table: the layers that each adds, its shape, its parameters and its text."""

import keras
import numpy as np
import pytest

from tests.architectures.networks import PLAIN
from tripletlab.architectures import tables
from tripletlab.architectures.blocks import Style
from tripletlab.architectures.network import network
from tripletlab.architectures.rows import Conv, Inception, Pool, Residual


def test_a_branch_is_any_list_of_convolutions():
    branches = [[(3, 4)], [(1, 2), (5, 3), (3, 6)], [(1, 1)]]
    rows = (Conv("first", 3, 8), Inception("mixed", branches, "average", 5, stride=2))
    made = network(table=tables.NetworkTable("own", rows), input_size=32, **PLAIN)
    assert made.get_layer("mixed").output.shape[1:] == (16, 16, 4 + 6 + 1 + 5)
    assert rows[1].text(Style(2.0, False, "max")) == (
        "3×3 8 · 1×1 4 → 5×5 6 → 3×3 12 · 1×1 2 · max pool → 1×1 10 /2"
    )


PLAIN_STYLE = Style(1.0, batch_norm=False, pool=None)
ROWS = [  # a row, what leaves a picture of 9 x 9 x 4, its parameters, its text
    (Conv("r", 3, 6), (9, 9, 6), 9 * 4 * 6 + 6, "3×3 6"),
    (Conv("r", 5, 6, stride=2), (5, 5, 6), 25 * 4 * 6 + 6, "5×5 6 /2"),
    (Pool("r"), (5, 5, 4), 0, "max pool 3×3 /2"),
    (Pool("r", 2, 1, "l2"), (9, 9, 4), 0, "l2 pool 2×2"),
    (Inception("r", [[(1, 2)]], "max"), (9, 9, 6), 4 * 2 + 2, "1×1 2 · max pool"),
    (
        Inception("r", [[(1, 2), (3, 5)]], "average", 3, stride=2),
        (5, 5, 8),
        (4 * 2 + 2) + (9 * 2 * 5 + 5) + (4 * 3 + 3),
        "1×1 2 → 3×3 5 · average pool → 1×1 3 /2",
    ),
    (Residual("r", 4), (9, 9, 4), 2 * (9 * 4 * 4 + 4), "3×3 4 → 3×3 4 + input"),
    (
        Residual("r", 6, stride=2),
        (5, 5, 6),
        (9 * 4 * 6 + 6) + (9 * 6 * 6 + 6) + (4 * 6 + 6),
        "3×3 6 → 3×3 6 + input /2",
    ),
]


def added(row, style=PLAIN_STYLE):
    picture = keras.Input((9, 9, 4))
    return keras.Model(picture, row.add(picture, style))


@pytest.mark.parametrize(("row", "shape", "parameters", "text"), ROWS)
def test_a_row_adds_its_layers(row, shape, parameters, text):
    made = added(row)
    assert made.output.shape[1:] == shape
    assert made.count_params() == parameters
    assert row.text(PLAIN_STYLE) == text
    names = [layer.name for layer in made.layers[1:]]
    own = [name for name in names if name == "r" or name.startswith("r_")]
    unnamed = {"square", "add", "sqrt"} if "l2" in text else set()  # operations of the l2 pool
    assert {name.rstrip("_0123456789") for name in set(names) - set(own)} <= unnamed


@pytest.mark.parametrize("row", [row for row, *_ in ROWS])
def test_width_and_batch_normalisation_reach_every_convolution(row):
    made = added(row, Style(2.0, batch_norm=True, pool="average"))
    wide = [one for one in made.layers if isinstance(one, keras.layers.Conv2D)]
    filters = {one.name: one.filters for one in wide}
    for one in added(row).layers:
        if isinstance(one, keras.layers.Conv2D):
            assert filters[one.name] == 2 * one.filters
    assert not any(one.use_bias for one in wide)
    norms = [one for one in made.layers if isinstance(one, keras.layers.BatchNormalization)]
    assert len(norms) == len(wide)


def test_a_residual_block_begins_as_its_input():
    picture = np.random.default_rng(0).random((2, 9, 9, 4), np.float32)
    np.testing.assert_array_equal(added(Residual("r", 4))(picture), picture)
    norm = added(Residual("r", 4), Style(1.0, batch_norm=True, pool=None))
    np.testing.assert_array_equal(norm(picture), picture)


def test_a_residual_block_that_shrinks_begins_as_the_projected_means():
    picture = np.random.default_rng(0).random((2, 8, 8, 4), np.float32)
    face = keras.Input((8, 8, 4))
    made = keras.Model(face, Residual("r", 6, stride=2).add(face, PLAIN_STYLE))
    kernel, bias = made.get_layer("r_shortcut").get_weights()
    means = picture.reshape(2, 4, 2, 4, 2, 4).mean(axis=(2, 4))
    expected = np.maximum(means @ kernel[0, 0] + bias, 0)
    np.testing.assert_allclose(made(picture), expected, rtol=1e-4, atol=1e-5)


def test_a_branch_has_its_stride_at_its_end():
    made = added(Inception("r", [[(1, 2), (3, 5), (3, 6)]], "max", stride=2))
    strides = {one.name: one.strides for one in made.layers if isinstance(one, keras.layers.Conv2D)}
    assert list(strides.values()) == [(1, 1), (1, 1), (2, 2)]
