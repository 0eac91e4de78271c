"""The loss over mined triplets, against plain loops; its gradient; its degenerate cases."""

import numpy as np
import pytest
import tensorflow

from tripletlab.triplets import triplets
from tripletlab.triplets.losses import hinge, softplus
from tripletlab.triplets.triplets import Every, Mined, fraction

SIZE, MARGIN = 8, 0.2


def drawn(seed=0):
    """Distances, and masks and negatives that no miner needs to have made."""
    rng = np.random.default_rng(seed)
    distances = rng.random((SIZE, SIZE), np.float32)
    pairs = rng.random((SIZE, SIZE)) < 0.4
    kept = pairs & (rng.random((SIZE, SIZE)) < 0.6)
    negatives = np.where(kept, rng.integers(0, SIZE, (SIZE, SIZE)), 0).astype(np.int32)
    return distances, pairs, kept, negatives


def cost(kind, positive, negative):
    signed = float(positive) - float(negative) + MARGIN
    return max(0.0, signed) if kind is hinge else float(np.log1p(np.exp(signed)))


def values(measured):
    return [float(value) for value in measured]


@pytest.mark.parametrize("loss", [hinge, softplus])
@pytest.mark.parametrize("seed", range(4))
def test_mined_triplets_cost_their_mean(loss, seed):
    distances, pairs, kept, negatives = drawn(seed)
    losses = [
        cost(loss, distances[a, p], distances[a, negatives[a, p]])
        for a, p in zip(*np.nonzero(kept), strict=True)
    ]
    measured = Mined(negatives, pairs, kept).measure(distances, loss=loss, margin=MARGIN)
    active = sum(one > 1e-7 for one in losses)
    expected = [np.mean(losses), len(losses) / pairs.sum(), active / pairs.sum()]
    np.testing.assert_allclose(values(measured), expected, rtol=1e-5)


@pytest.mark.parametrize("loss", [hinge, softplus])
@pytest.mark.parametrize("seed", range(4))
def test_every_triplet_costs_the_mean_of_the_active_ones(loss, seed):
    distances, pairs, *_ = drawn(seed)
    negatives = np.random.default_rng(seed + 50).random((SIZE, SIZE)) < 0.3
    negatives[seed] = False  # an anchor that has none
    losses = [
        cost(loss, distances[a, p], distances[a, n])
        for a, p in zip(*np.nonzero(pairs), strict=True)
        for n in np.flatnonzero(negatives[a])
    ]
    active = [one for one in losses if one > 1e-7]
    kept = [negatives[a].any() for a in np.nonzero(pairs)[0]]
    measured = Every(pairs, negatives).measure(distances, loss=loss, margin=MARGIN)
    expected = [np.mean(active), np.mean(kept), len(active) / len(losses)]
    np.testing.assert_allclose(values(measured), expected, rtol=1e-5)


def test_in_chunks_it_is_the_same(monkeypatch):
    distances, pairs, *_ = drawn()
    every = Every(pairs, ~pairs)
    whole = values(every.measure(distances, loss=hinge, margin=MARGIN))
    for triplets_at_once in (1, 3 * SIZE**2, SIZE**3 - 1):
        monkeypatch.setattr(triplets, "CHUNK", triplets_at_once)
        chunked = values(every.measure(distances, loss=hinge, margin=MARGIN))
        np.testing.assert_allclose(chunked, whole, rtol=1e-6)


NONE = np.zeros((SIZE, SIZE), bool)
FULL = np.ones((SIZE, SIZE), bool)
ZEROS = np.zeros((SIZE, SIZE), np.int32)


@pytest.mark.parametrize(
    ("mined", "expected"),
    [
        (Mined(ZEROS, NONE, NONE), [0, 0, 0]),  # no pair at all
        (Mined(ZEROS, FULL, NONE), [0, 0, 0]),  # pairs, but not a negative
        (Every(NONE, FULL), [0, 0, 0]),
        (Every(FULL, NONE), [0, 0, 0]),
    ],
)
@pytest.mark.parametrize("fill", [0.5, np.nan])
def test_without_triplets_all_is_zero_whatever_the_distances(mined, expected, fill):
    distances = np.full((SIZE, SIZE), fill, np.float32)
    assert values(mined.measure(distances, loss=hinge, margin=MARGIN)) == expected


def test_kept_triplets_that_cost_nothing_are_not_active():
    distances = np.full((SIZE, SIZE), 3, np.float32)
    np.fill_diagonal(distances, 0)
    positives = np.eye(SIZE, dtype=bool)
    mined = Mined(np.full((SIZE, SIZE), 1, np.int32), positives, positives)
    loss, kept, active = values(mined.measure(distances, loss=hinge, margin=MARGIN))
    assert (kept, active) == (1, 1 / SIZE)  # the second anchor is its own negative
    assert loss == pytest.approx(MARGIN / SIZE)
    every = Every(positives, ~positives).measure(distances, loss=hinge, margin=MARGIN)
    assert values(every) == [0, 1, 0]


def test_the_gradient_pulls_the_positive_and_pushes_the_negative_of_active_triplets():
    distances = tensorflow.constant([[0.0, 0.5, 0.4], [0.5, 0.0, 3.0], [0.4, 3.0, 0.0]])
    pairs = np.zeros((3, 3), bool)
    pairs[0, 1] = pairs[1, 0] = True
    negatives = np.full((3, 3), 2, np.int32)
    for mined in (Mined(negatives, pairs, pairs), Every(pairs, np.eye(3, dtype=bool)[[2, 2, 2]])):
        with tensorflow.GradientTape() as tape:
            tape.watch(distances)
            loss = mined.measure(distances, loss=hinge, margin=MARGIN).loss
        counted = 1 if isinstance(mined, Every) else 2  # the inactive triplet is in one mean alone
        expected = np.zeros((3, 3))
        expected[0, 1], expected[0, 2] = 1 / counted, -1 / counted
        np.testing.assert_allclose(tape.gradient(loss, distances), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("chosen", "of", "expected"), [([1, 0, 1], [1, 1, 1], 2 / 3), ([0], [0], 0), ([1], [1], 1)]
)
def test_a_fraction_of_nothing_is_zero(chosen, of, expected):
    chosen, of = np.array(chosen, bool), np.array(of, bool)
    assert float(fraction(chosen, of=of)) == pytest.approx(expected)
