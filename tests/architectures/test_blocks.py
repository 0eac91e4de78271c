"""Convolutions and poolings against plain loops in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow

from tripletlab.architectures.blocks import Style, convolution, pooling

STYLE = Style(1.0, batch_norm=False, pool=None)


def windows(picture, size, stride):
    """The values of each window, those outside of the picture left out: (rows, columns) lists."""
    side = picture.shape[0]
    count = -(-side // stride)
    before = max((count - 1) * stride + size - side, 0) // 2
    starts = [place * stride - before for place in range(count)]
    return [
        [
            picture[max(top, 0) : top + size, max(left, 0) : left + size].reshape(
                -1, picture.shape[2]
            )
            for left in starts
        ]
        for top in starts
    ]


REDUCED = {
    "max": lambda values: values.max(axis=0),
    "average": lambda values: values.mean(axis=0),
    "l2": lambda values: np.sqrt((values**2).mean(axis=0) + 1e-6),
}


def pooled(picture, **settings):
    given = keras.Input(picture.shape)
    made = keras.Model(given, pooling(given, name="pool", **settings))
    return np.asarray(made(picture[None]))[0]


@pytest.mark.parametrize("kind", REDUCED)
@pytest.mark.parametrize(("size", "stride"), [(3, 2), (3, 1), (2, 2)])
@pytest.mark.parametrize("side", [7, 8])
def test_a_pooling_is_that_of_a_loop(kind, size, stride, side):
    picture = np.random.default_rng(side).normal(size=(side, side, 2)).astype(np.float32)
    expected = [[REDUCED[kind](one) for one in row] for row in windows(picture, size, stride)]
    made = pooled(picture, kind=kind, size=size, stride=stride, style=STYLE)
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)


def test_the_styles_pooling_takes_the_place_of_the_rows():
    picture = np.random.default_rng(0).random((6, 6, 1), np.float32)
    settings = {"size": 3, "stride": 2}
    made = pooled(picture, kind="max", style=STYLE._replace(pool="average"), **settings)
    plain = pooled(picture, kind="average", style=STYLE, **settings)
    np.testing.assert_array_equal(made, plain)


def test_the_gradient_of_an_l2_pool_of_zeros_is_finite():
    zeros = tensorflow.zeros((1, 4, 4, 1))
    with tensorflow.GradientTape() as tape:
        tape.watch(zeros)
        made = pooling(zeros, kind="l2", size=2, stride=2, style=STYLE, name="p")
    assert np.isfinite(tape.gradient(made, zeros)).all()


@pytest.mark.parametrize(
    ("count", "width", "filters"),
    [(32, 1.0, 32), (32, 0.5, 16), (3, 0.5, 2), (1, 0.1, 1), (0, 2.0, 1), (5, 8.0, 40)],
)
def test_filters_at_a_width_are_at_least_one(count, width, filters):
    assert STYLE._replace(width=width).filters(count) == filters


def convolved(picture, **settings):
    given = keras.Input(picture.shape)
    made = keras.Model(given, convolution(given, name="conv", **{"style": STYLE, **settings}))
    return made, np.asarray(made(picture[None]))[0]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("relu", [True, False])
def test_a_convolution_is_that_of_a_loop(stride, relu):
    picture = np.random.default_rng(0).normal(size=(7, 7, 2)).astype(np.float32)
    made, result = convolved(picture, kernel=3, filters=4, stride=stride, relu=relu)
    kernel, bias = made.get_layer("conv").get_weights()
    padded = np.pad(picture, [(1, 1), (1, 1), (0, 0)])
    places = range(0, 7, stride)
    expected = [
        [np.einsum("hwc,hwcf->f", padded[y : y + 3, x : x + 3], kernel) + bias for x in places]
        for y in places
    ]
    expected = np.maximum(expected, 0) if relu else np.array(expected)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)
    assert (result < 0).any() != relu


@pytest.mark.parametrize("relu", [True, False])
def test_a_normalised_convolution_has_no_bias_and_ends_in_its_relu(relu):
    picture = np.random.default_rng(0).normal(size=(6, 6, 2)).astype(np.float32)
    style = STYLE._replace(batch_norm=True)
    made, result = convolved(picture, kernel=3, filters=4, relu=relu, style=style)
    kinds = [type(layer).__name__ for layer in made.layers[1:]]
    assert kinds == ["Conv2D", "BatchNormalization", *(["ReLU"] if relu else [])]
    assert not made.get_layer("conv").use_bias
    assert (result < 0).any() != relu


def test_a_convolution_that_begins_at_zero():
    made, result = convolved(np.ones((5, 5, 2), np.float32), kernel=3, filters=4, zero=True)
    assert (result == 0).all()
    assert made.get_layer("conv").kernel.trainable
