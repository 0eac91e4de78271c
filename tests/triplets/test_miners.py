"""Miners against a plain search through every negative of every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripletlab.triplets.distances import squared_distances
from tripletlab.triplets.miners import hard, semihard

MINERS = {"semihard": semihard, "hard": hard}


def is_valid(kind, positive, negative, margin):
    if kind == "hard":
        return negative < positive
    return positive < negative < np.float32(positive + np.float32(margin))


def valid_negatives(kind, distances, labels, anchor, positive, margin):
    """Nearest first, the lower batch index first where two are as near."""
    found = [
        n
        for n in range(len(labels))
        if labels[n] != labels[anchor]
        and is_valid(kind, distances[anchor, positive], distances[anchor, n], margin)
    ]
    return sorted(found, key=lambda n: (distances[anchor, n], n))


def mine(kind, distances, labels, margin=0.2, draws=None):
    draws = np.zeros(distances.shape, np.float32) if draws is None else draws
    mined = MINERS[kind](distances, labels, margin=margin, draws=draws)
    return [np.asarray(part) for part in mined]


@st.composite
def batches(draw):
    """Distances on a coarse lattice, so that ties abound; any labels."""
    size = draw(st.integers(1, 12))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    levels = draw(st.sampled_from([2, 5, 40]))
    distances = (rng.integers(0, levels, (size, size)) / levels).astype(np.float32)
    labels = rng.integers(0, draw(st.integers(1, 5)), size).astype(np.int32)
    return distances, labels, rng.random((size, size), np.float32)


@pytest.mark.parametrize("kind", MINERS)
@settings(max_examples=60, deadline=None)
@given(batch=batches(), margin=st.sampled_from([0.1, 0.2, 0.4]))
def test_one_negative_of_the_kind_for_each_pair_that_has_one(kind, batch, margin):
    distances, labels, draws = batch
    negatives, pairs, kept = mine(kind, distances, labels, margin, draws)
    for anchor in range(len(labels)):
        for positive in range(len(labels)):
            is_pair = anchor < positive and labels[anchor] == labels[positive]
            assert pairs[anchor, positive] == is_pair
            if not is_pair:
                assert not kept[anchor, positive]
                continue
            valid = valid_negatives(kind, distances, labels, anchor, positive, margin)
            assert kept[anchor, positive] == bool(valid)
            if valid:
                rank = int(draws[anchor, positive] * np.float32(len(valid)))
                assert negatives[anchor, positive] == valid[rank]


@pytest.mark.parametrize("kind", MINERS)
def test_every_valid_negative_is_as_likely(kind):
    rng = np.random.default_rng(1)
    labels = np.array([0, 0, *range(1, 11)], np.int32)
    near = rng.permutation(np.linspace(0.01, 0.6, 10)).astype(np.float32)
    distances = np.zeros((12, 12), np.float32)
    distances[0, 1], distances[0, 2:] = 0.3, near
    chosen = [
        int(mine(kind, distances, labels, draws=rng.random((12, 12), np.float32))[0][0, 1])
        for _ in range(600)
    ]
    valid = valid_negatives(kind, distances, labels, 0, 1, 0.2)
    assert sorted(set(chosen)) == sorted(valid)
    counts = np.bincount(chosen, minlength=12)[valid]
    expected = 600 / len(valid)
    assert ((counts - expected) ** 2 / expected).sum() < 30  # chi-squared, far in the tail


@pytest.mark.parametrize("kind", MINERS)
@pytest.mark.parametrize(
    ("embeddings", "labels"),
    [
        (np.eye(4), [0, 0, 0, 0]),  # one identity: no negative
        (np.eye(4), [0, 1, 2, 3]),  # a photo each: no pair
        (np.ones((4, 4)) / 2, [0, 0, 1, 1]),  # all coincide: every inequality is a tie
        (np.eye(1), [0]),
    ],
)
def test_nothing_to_keep(kind, embeddings, labels):
    distances = np.asarray(squared_distances(embeddings.astype(np.float32)))
    _, _, kept = mine(kind, distances, np.array(labels, np.int32))
    assert not kept.any()


@pytest.mark.parametrize("kind", MINERS)
def test_a_draw_of_one_stays_in_range(kind):
    rng = np.random.default_rng(0)
    distances, labels = rng.random((8, 8), np.float32), np.repeat([0, 1], 4).astype(np.int32)
    negatives, _, kept = mine(kind, distances, labels, draws=np.ones((8, 8), np.float32))
    assert kept.any()
    anchors = np.nonzero(kept)[0]
    assert (labels[negatives[kept]] != labels[anchors]).all()


def test_the_shapes_are_known_when_the_graph_is_built():
    """O(batch²) memory: nothing in the traced graph is (batch, batch, batch)."""
    tensorflow = pytest.importorskip("tensorflow")
    size = 24

    @tensorflow.function(jit_compile=False)
    def graph(distances, labels, draws):
        return semihard(distances, labels, margin=0.2, draws=draws)

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
