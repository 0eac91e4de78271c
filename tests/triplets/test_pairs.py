"""Pairs, positives and ordered negatives of a batch, against plain loops."""

import keras
import numpy as np
import pytest
import tensorflow
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triplets import oracles
from tripletlab.triplets.pairs import (
    Everywhere,
    Places,
    count_below,
    negative_pairs,
    one_positive,
    positive_pairs,
    sorted_negatives,
)


@st.composite
def batches(draw):
    """Distances with many ties, now and then not finite, and labels in any order."""
    size = draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    distances = rng.integers(0, draw(st.sampled_from([2, 30])), (size, size)).astype(np.float32)
    distances[rng.random((size, size)) < draw(st.sampled_from([0, 0.3]))] = np.nan
    return distances, rng.integers(0, draw(st.integers(1, 4)), size).astype(np.int32)


def true_of(mask):
    return {(int(row), int(column)) for row, column in zip(*np.nonzero(mask), strict=True)}


@settings(max_examples=40, deadline=None)
@given(labels=st.lists(st.integers(-2, 3), min_size=1, max_size=10))
def test_every_two_faces_are_a_positive_or_a_negative_pair(labels):
    every = [(a, b) for a in range(len(labels)) for b in range(len(labels))]
    batch = np.array(labels, np.int32)
    negative, positive = negative_pairs(batch), positive_pairs(batch)
    assert true_of(negative) == {(a, b) for a, b in every if labels[a] != labels[b]}
    assert true_of(positive) == {(a, b) for a, b in every if labels[a] == labels[b] and a < b}


def test_people_of_so_many_photos_have_the_papers_number_of_pairs():
    people, photos = 7, 5
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(people), photos))
    assert len(true_of(positive_pairs(labels))) == people * photos * (photos - 1) / 2


@pytest.mark.parametrize("farthest", [True, False])
@settings(max_examples=40, deadline=None)
@given(batch=batches())
def test_the_positive_is_the_one_of_a_search(farthest, batch):
    distances, labels = batch
    mask = one_positive(distances, labels, farthest=farthest)
    assert true_of(mask) == set(oracles.one_positive(distances, labels, farthest=farthest))


@settings(max_examples=40, deadline=None)
@given(batch=batches())
def test_negatives_are_sorted_and_then_infinite(batch):
    distances, labels = batch
    ascending, order = map(np.asarray, sorted_negatives(distances, labels))
    for anchor in range(len(labels)):
        expected = oracles.negatives(distances, labels, anchor)
        count = len(expected)
        assert order[anchor, :count].tolist() == expected  # the first in the batch of equal ones
        np.testing.assert_array_equal(ascending[anchor, :count], distances[anchor, expected])
        assert np.isposinf(ascending[anchor, count:]).all()
        assert sorted(order[anchor]) == list(range(len(labels)))


@pytest.mark.parametrize(("inclusive", "side"), [(False, "left"), (True, "right")])
@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 4),
    length=st.integers(1, 20),
    queries=st.integers(1, 6),
    levels=st.sampled_from([1, 3, 1000]),
    seed=st.integers(0, 999),
)
def test_counting_is_numpys_search(inclusive, side, rows, length, queries, levels, seed):
    rng = np.random.default_rng(seed)
    ascending = np.sort(rng.integers(0, levels, (rows, length)), axis=1).astype(np.float32)
    ascending[rng.random(rows) < 0.3, -1] = np.inf
    asked = rng.integers(-1, levels + 1, (rows, queries)).astype(np.float32)
    asked[rng.random(asked.shape) < 0.1] = np.inf
    where = rng.random(asked.shape) < 0.7
    expected = [np.searchsorted(*row, side=side) for row in zip(ascending, asked, strict=True)]
    for at in (Places(where), Everywhere()):
        counted = count_below(ascending, at.values(asked), inclusive=inclusive, at=at)
        counted = np.asarray(at.matrix(counted))
        assert counted.dtype == np.int32
        np.testing.assert_array_equal(counted[where], np.array(expected)[where])


@pytest.mark.parametrize("inclusive", [True, False])
def test_nothing_is_below_what_is_not_a_number(inclusive):
    ascending, asked = np.float32([[1, 2, 3]]), np.float32([[np.nan]])
    counted = count_below(ascending, asked, inclusive=inclusive, at=Everywhere())
    assert np.asarray(counted).tolist() == [[0]]


def test_a_batch_whose_size_the_graph_does_not_know_is_counted_alike():
    spec = tensorflow.TensorSpec((None, None), "float32")

    @tensorflow.function(input_signature=[spec, spec], jit_compile=False)
    def count(ascending, queries):
        at = Places(tensorflow.ones_like(queries, "bool"))
        return at.matrix(count_below(ascending, at.values(queries), inclusive=True, at=at))

    rng = np.random.default_rng(0)
    for length in (1, 5, 300):
        ascending = np.sort(rng.random((2, length), np.float32), axis=1)
        asked = rng.random((2, 4), np.float32)
        known = count_below(ascending, asked, inclusive=True, at=Everywhere())
        np.testing.assert_array_equal(count(ascending, asked), keras.ops.convert_to_numpy(known))
