"""The guard against the formulas written out, and its judgement of histories."""

import numpy as np
import pytest

from tripletlab.training.guard import collapse, spread_of


def unit(count=40, dim=6):
    points = np.random.default_rng(0).normal(size=(count, dim)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_the_spread_is_the_formula():
    points = unit()
    pairs = [((a - b) ** 2).sum() for i, a in enumerate(points) for b in points[:i]]
    seen = spread_of(points)
    assert seen["mean_distance"] == pytest.approx(np.mean(pairs), rel=1e-5)
    assert seen["embedding_std"] == pytest.approx(points.std(axis=0).mean(), rel=1e-5)
    assert 5 < seen["effective_rank"] <= 6


def test_one_point_has_no_spread_and_a_line_has_rank_one():
    assert set(spread_of(np.full((5, 4), 0.5, np.float32)).values()) == {0.0}
    two = np.float32([[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    assert spread_of(two)["effective_rank"] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("distances", "collapsed"),
    [
        ([0.04], False),  # untrained
        ([0.04, 0.0001], False),  # within the warm-up
        ([0.04, 0.0001, 0.00009], True),
        ([0.04, 0.0, 0.0], True),
        ([0.04, 0.3, 0.9, 0.001], False),  # one epoch may be an accident
        ([0.04, 0.3, 0.9, 0.001, 0.001], True),
        ([0.04, 0.0001, 0.001], False),  # coming back
        ([0.04, 0.03, 0.05, 0.4], False),
    ],
)
def test_what_is_judged_collapsed(distances, collapsed):
    assert bool(collapse(distances, warm_up=2, shrunk_to=0.1)) == collapsed
