import numpy as np
import pytest

from tripletlab.triplets.distances import squared_distances
from tripletlab.triplets.regularizers import none, spread

LABELS = np.repeat(np.arange(4), 3).astype(np.int32)


def unit(seed, dim=8):
    points = np.random.default_rng(seed).normal(size=(12, dim)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def penalty(embeddings, labels=LABELS, weight=1.0):
    distances = squared_distances(embeddings)
    return float(spread(distances, labels, dim=embeddings.shape[1], weight=weight))


def test_spread_is_the_formula():
    points = unit(0)
    products = [
        a @ b
        for a, la in zip(points, LABELS, strict=True)
        for b, lb in zip(points, LABELS, strict=True)
        if la != lb
    ]
    expected = np.mean(products) ** 2 + max(0, np.mean(np.square(products)) - 1 / 8)
    assert penalty(points) == pytest.approx(expected, abs=1e-6)
    assert penalty(points, weight=0.3) == pytest.approx(0.3 * expected, abs=1e-6)


def test_a_collapsed_batch_costs_most():
    one_point = np.full((12, 8), 8**-0.5, np.float32)
    assert penalty(one_point) == pytest.approx(1 + 1 - 1 / 8, abs=1e-5)
    assert penalty(unit(0)) < 0.2


def test_one_identity_costs_nothing():
    assert penalty(unit(0), labels=np.zeros(12, np.int32)) == 0


def test_none_is_zero():
    assert float(none(squared_distances(unit(0)), LABELS, dim=8)) == 0
