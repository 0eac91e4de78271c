"""Squared distances against the sums of squares written out."""

import numpy as np
import pytest
import tensorflow

from tripletlab.triplets.distances import squared_distances


def test_squared_distances_are_sums_of_squares():
    points = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    expected = [[((a - b) ** 2).sum() for b in points] for a in points]
    np.testing.assert_allclose(squared_distances(points), expected, atol=1e-5)


def test_embeddings_of_half_precision_have_distances_in_float32():
    points = np.random.default_rng(1).normal(size=(9, 64))
    half = tensorflow.cast(points / np.linalg.norm(points, axis=1, keepdims=True), "bfloat16")
    exact = np.asarray(half, np.float64)
    distances = np.asarray(squared_distances(half))
    assert distances.dtype == np.float32
    expected = ((exact[:, None] - exact[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(distances, expected, atol=1e-5)


def test_coincident_points_have_distance_zero_and_not_less():
    points = np.full((6, 128), 128**-0.5, np.float32)
    distances = np.asarray(squared_distances(points))
    assert distances.min() >= 0
    assert distances.max() < 1e-6


@pytest.mark.parametrize("dim", [1, 2, 128])
def test_on_the_sphere_they_are_between_0_and_4(dim):
    points = np.random.default_rng(dim).normal(size=(50, dim)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    distances = np.asarray(squared_distances(np.concatenate([points, -points])))
    assert distances.shape == (100, 100)
    assert distances.min() >= 0
    assert distances.max() <= 4 + 1e-5
    np.testing.assert_allclose(distances[:50, 50:].diagonal(), 4, atol=1e-5)
    np.testing.assert_allclose(distances, distances.T, atol=1e-6)


def test_the_gradient_is_that_of_the_difference():
    """Of the distance of two points, by the first: 2 (a - b)."""
    points = tensorflow.constant([[1.0, 2.0], [4.0, -2.0], [0.0, 0.0]])
    with tensorflow.GradientTape() as tape:
        tape.watch(points)
        distance = squared_distances(points)[0, 1]
    np.testing.assert_allclose(tape.gradient(distance, points), [[-6, 8], [6, -8], [0, 0]])


def test_what_is_not_a_number_stays_none():
    points = np.eye(3, dtype=np.float32)
    points[1, 0] = np.nan
    distances = np.asarray(squared_distances(points))
    assert np.isnan(distances[1]).all()
    assert np.isnan(distances[:, 1]).all()
    assert distances[0, 2] == 2
