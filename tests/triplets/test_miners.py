"""Miners against a plain search through every negative of every pair."""

from functools import partial

import numpy as np
import pytest
import tensorflow
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triplets import oracles
from tripletlab.triplets import miners
from tripletlab.triplets.distances import squared_distances
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.triplets import Mined

WU = {"dim": 8, "nearest": 0.25, "farthest": 1.5}  # some distances are exactly 1.5
ONE_EACH = {
    "semihard": miners.semihard,
    "nearest_semihard": miners.nearest_semihard,
    "hard": miners.hard,
    "violating": miners.violating,
    "batch_hard": miners.batch_hard,
    "easy_positive": miners.easy_positive,
    "distance_weighted": partial(miners.distance_weighted, **WU),
}
MINERS = {**ONE_EACH, "batch_all": miners.batch_all}
SEARCHES = {  # the pairs, the kind of negative, whether one is drawn (else the nearest is taken)
    "semihard": (oracles.all_pairs, "semihard", True),
    "nearest_semihard": (oracles.all_pairs, "semihard", False),
    "hard": (oracles.all_pairs, "hard", True),
    "violating": (oracles.all_pairs, "violating", True),
    "batch_hard": (partial(oracles.one_positive, farthest=True), "batch_hard", False),
    "easy_positive": (partial(oracles.one_positive, farthest=False), "semihard", False),
}


def mine(name, distances, labels, margin=0.2, draws=None):
    draws = np.zeros(distances.shape, np.float32) if draws is None else draws
    mined = MINERS[name](distances, labels, margin=margin, draws=draws)
    return [np.asarray(part) for part in mined]


@st.composite
def batches(draw):
    """Distances on a coarse lattice, so that ties abound, now and then not a number; any labels."""
    size = draw(st.integers(1, 12))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    levels = draw(st.sampled_from([2, 5, 40]))
    distances = (rng.integers(0, levels, (size, size)) / levels).astype(np.float32)
    distances[rng.random((size, size)) < draw(st.sampled_from([0, 0, 0.2]))] = np.nan
    labels = rng.integers(0, draw(st.integers(1, 5)), size).astype(np.int32)
    return distances, labels, rng.random((size, size), np.float32)


@pytest.mark.parametrize("name", SEARCHES)
@settings(max_examples=40)
@given(batch=batches(), margin=st.sampled_from([0.1, 0.2, 0.4]))
def test_one_negative_of_the_kind_for_each_pair_that_has_one(name, batch, margin):
    distances, labels, draws = batch
    pairs_of, kind, drawn = SEARCHES[name]
    negatives, pairs, kept = mine(name, distances, labels, margin, draws)
    expected = pairs_of(distances, labels)
    assert set(zip(*np.nonzero(pairs), strict=True)) == set(expected)
    assert not (kept & ~pairs).any()
    for anchor, positive in expected:
        valid = oracles.valid(kind, distances, labels, anchor, positive, margin)
        assert kept[anchor, positive] == bool(valid)
        if valid:
            rank = int(draws[anchor, positive] * np.float32(len(valid))) if drawn else 0
            assert negatives[anchor, positive] == valid[rank]


@settings(max_examples=40)
@given(batch=batches())
def test_distance_weighted_draws_by_the_weights(batch):
    """The draw lies in the chosen face's share of the cumulated weights."""
    distances, labels, draws = batch
    distances = 2 * distances
    negatives, pairs, kept = mine("distance_weighted", distances, labels, draws=draws)
    expected = oracles.all_pairs(distances, labels)
    assert set(zip(*np.nonzero(pairs), strict=True)) == set(expected)
    for anchor, positive in expected:
        weights = oracles.weights(distances, labels, anchor, **WU)
        there = np.isfinite(distances[anchor, positive])
        assert kept[anchor, positive] == (there and weights.sum() > 0)
        if kept[anchor, positive]:
            chosen = negatives[anchor, positive]
            ends = np.cumsum(weights) / weights.sum()
            draw = draws[anchor, positive]
            assert weights[chosen] > 0
            assert ends[chosen] - weights[chosen] / weights.sum() - 1e-5 < draw
            assert draw < ends[chosen] + 1e-5


@settings(max_examples=40)
@given(
    batch=batches(), margin=st.sampled_from([0.1, 0.4]), chunk=st.sampled_from([1, 300, 1 << 24])
)
def test_batch_all_is_the_mean_over_all_active_triplets(batch, margin, chunk):
    distances, labels, draws = batch
    losses = oracles.every_triplet(
        distances, labels, lambda p, n, m: max(0, p - n + np.float32(m)), margin
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tripletlab.triplets.triplets.CHUNK", chunk)
        mined = miners.batch_all(distances, labels, margin=margin, draws=draws)
        measured = mined.measure(distances, loss=hinge, margin=margin)
    active = [loss for loss in losses if loss > 0]
    assert float(measured.loss) == pytest.approx(np.mean(active) if active else 0, abs=1e-5)
    assert float(measured.active) == pytest.approx(len(active) / max(len(losses), 1), abs=1e-6)
    pairs = [
        oracles.negatives(distances, labels, a)
        for a, p in oracles.all_pairs(distances, labels)
        if np.isfinite(distances[a, p])
    ]
    kept = np.mean([bool(found) for found in pairs]) if pairs else 0
    assert float(measured.kept) == pytest.approx(kept)


def test_batch_all_in_chunks_has_the_same_gradient(monkeypatch):
    distances = np.random.default_rng(0).random((12, 12), np.float32)
    labels = np.repeat(np.arange(4), 3).astype(np.int32)

    @tensorflow.function(jit_compile=False)
    def gradient(given):
        with tensorflow.GradientTape() as tape:
            tape.watch(given)
            mined = miners.batch_all(tensorflow.stop_gradient(given), labels, margin=0.2, draws=0)
            loss = mined.measure(given, loss=hinge, margin=0.2).loss
        return tape.gradient(loss, given)

    whole = gradient(tensorflow.constant(distances)).numpy()
    assert np.abs(whole).max() > 0
    monkeypatch.setattr("tripletlab.triplets.triplets.CHUNK", 300)  # two anchors at once
    gradient = tensorflow.function(gradient.python_function, jit_compile=False)
    np.testing.assert_allclose(gradient(tensorflow.constant(distances)), whole, atol=1e-6)


@pytest.mark.parametrize("name", ["semihard", "hard", "violating"])
def test_every_valid_negative_is_as_likely(name):
    """36 photos of one person, all 0.3 apart, and ten others: 630 pairs with the same choice."""
    rng = np.random.default_rng(1)
    labels = np.array([0] * 36 + list(range(1, 11)), np.int32)
    distances = np.full((46, 46), 0.3, np.float32)
    distances[:, 36:] = rng.permutation(np.linspace(0.01, 0.6, 10))
    negatives, _, kept = mine(name, distances, labels, draws=rng.random((46, 46), np.float32))
    chosen = negatives[kept]
    valid = oracles.valid(name, distances, labels, 0, 1, 0.2)
    assert len(chosen) == 630
    assert set(chosen) == set(valid)
    expected = 630 / len(valid)
    counts = np.bincount(chosen)[valid]
    assert ((counts - expected) ** 2 / expected).sum() < 30  # chi-squared, far in the tail


NOTHING = [
    (np.eye(4), [0, 0, 0, 0]),  # one identity: no negative
    (np.eye(4), [0, 1, 2, 3]),  # a photo each: no pair
    (np.eye(1), [0]),
    (np.full((4, 4), np.nan), [0, 0, 1, 1]),  # a network that has diverged
]
TIES = [(np.ones((4, 4)) / 2, [0, 0, 1, 1])]  # all coincide: every inequality is a tie


@pytest.mark.parametrize(
    ("name", "embeddings", "labels"),
    [(name, *case) for name in MINERS for case in NOTHING]
    + [
        (name, *case)
        for name in SEARCHES
        if name not in ("batch_hard", "violating")
        for case in TIES
    ],
)
def test_nothing_to_keep(name, embeddings, labels):
    embeddings, labels = embeddings.astype(np.float32), np.array(labels, np.int32)
    distances = np.asarray(squared_distances(embeddings))
    mined = MINERS[name](distances, labels, margin=0.2, draws=np.zeros_like(distances))
    assert not isinstance(mined, Mined) or not np.any(mined.kept)
    measured = mined.measure(distances, loss=hinge, margin=0.2)
    assert [float(value) for value in measured] == [0, 0, 0]


@pytest.mark.parametrize("name", ["violating", "batch_hard", "distance_weighted", "batch_all"])
def test_coincident_embeddings_cost_the_margin_where_ties_count(name):
    distances = np.zeros((6, 6), np.float32)
    labels = np.repeat([0, 1], 3).astype(np.int32)
    mined = MINERS[name](distances, labels, margin=0.2, draws=np.full_like(distances, 0.99))
    measured = mined.measure(distances, loss=hinge, margin=0.2)
    np.testing.assert_allclose([float(value) for value in measured], [0.2, 1, 1], atol=1e-6)


@pytest.mark.parametrize("name", ONE_EACH)
def test_a_draw_of_one_stays_in_range(name):
    rng = np.random.default_rng(0)
    distances, labels = rng.random((8, 8), np.float32), np.repeat([0, 1], 4).astype(np.int32)
    negatives, _, kept = mine(name, distances, labels, draws=np.ones((8, 8), np.float32))
    assert kept.any()
    anchors = np.nonzero(kept)[0]
    assert (labels[negatives[kept]] != labels[anchors]).all()


def test_the_triplets_that_a_batch_was_built_from():
    distances = np.random.default_rng(0).random((9, 9), np.float32)
    distances[1, 4] = np.nan
    labels = np.array([0, 1, 2, 0, 1, 2, 1, 2, 0], np.int32)
    negatives, pairs, kept = (
        np.asarray(part) for part in miners.given(distances, labels, margin=0.2, draws=None)
    )
    assert list(zip(*np.nonzero(pairs), strict=True)) == [(0, 3), (1, 4), (2, 5)]
    assert list(zip(*np.nonzero(kept), strict=True)) == [(0, 3), (2, 5)]
    assert (negatives[0, 3], negatives[2, 5]) == (6, 8)


@pytest.mark.parametrize("name", MINERS)
def test_the_shapes_are_known_when_the_graph_is_built(name):
    """O(batch²) memory: nothing that mining traces is (batch, batch, batch)."""
    size = 24

    @tensorflow.function(jit_compile=False)
    def graph(distances, labels, draws):
        return MINERS[name](distances, labels, margin=0.2, draws=draws)

    concrete = graph.get_concrete_function(
        *(
            tensorflow.TensorSpec(shape, kind)
            for shape, kind in (
                ((size, size), "float32"),
                ((size,), "int32"),
                ((size, size), "float32"),
            )
        )
    )
    shapes = [out.shape for op in concrete.graph.get_operations() for out in op.outputs]
    assert max(shape.num_elements() or 0 for shape in shapes if shape.rank is not None) <= size**2
    assert all(out.shape == (size, size) for out in concrete.outputs)
