"""The guard against the formulas written out, and its judgement of histories."""

import dataclasses
from functools import partial

import keras
import numpy as np
import pytest

from tests.stores import make_store
from tests.training.fits import Silent, small_network
from tripletlab import config
from tripletlab.training import backend
from tripletlab.training.augmentation import none as as_they_are
from tripletlab.training.batches import PeopleByPhotos
from tripletlab.training.fit import fit
from tripletlab.training.guard import Collapsed, collapse, embedding_statistics
from tripletlab.training.inference import embed
from tripletlab.training.model import TripletModel
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import hard
from tripletlab.triplets.regularizers import none as none_added
from tripletlab.triplets.regularizers import spread


def unit(count=40, dim=6):
    points = np.random.default_rng(0).normal(size=(count, dim)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_the_embedding_statistics_points_on_the_axes():
    """Both ends of four axes: of 28 pairs 4 are 4 apart and 24 are 2 apart, all axes are alike."""
    seen = embedding_statistics(np.concatenate([np.eye(4), -np.eye(4)]).astype(np.float32))
    assert seen["mean_distance"] == pytest.approx((4 * 4 + 24 * 2) / 28)
    assert seen["embedding_std"] == pytest.approx(0.5)
    assert seen["effective_rank"] == pytest.approx(4)


def test_the_mean_distance_is_that_of_all_pairs():
    points = unit()
    pairs = [((a - b) ** 2).sum() for i, a in enumerate(points) for b in points[:i]]
    assert embedding_statistics(points)["mean_distance"] == pytest.approx(np.mean(pairs), rel=1e-5)


def test_one_point_has_no_spread_and_a_line_has_rank_one():
    assert set(embedding_statistics(np.full((5, 4), 0.5, np.float32)).values()) == {0.0}
    two = np.float32([[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    assert embedding_statistics(two)["effective_rank"] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_embeddings_that_are_not_finite_have_no_statistics(value):
    points = unit()
    points[3, 1] = value
    assert np.isnan(list(embedding_statistics(points).values())).all()


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
        ([0.04, 0.0, 0.0001], True),  # from 0, every distance is more than twice
        ([0.0, 0.0, 0.0], True),
        ([0.0, 0.0, 0.3], False),
    ],
)
def test_what_is_judged_collapsed(distances, collapsed):
    assert bool(collapse(distances, warm_up=2, shrunk_to=0.1)) == collapsed


def learn(*, miner, regularizer):
    """A fit under the guard as it is in conf/, on faces that say nothing of who they are."""
    backend.start(seed=1)
    store = make_store(entries=12, photos=6)
    mixed = np.random.default_rng(0).permutation(store.images)
    store = dataclasses.replace(store, images=mixed)
    batches = PeopleByPhotos(
        store, people=6, photos=4, steps=10, augmentation=as_they_are, miner=miner, seed=1
    )
    model = TripletModel(
        small_network(),
        miner=miner,
        loss=hinge,
        regularizer=regularizer,
        margin=0.2,
        batch_size=24,
        seed=1,
    )
    told = Silent()

    def evaluate(network, margin):
        seen = embedding_statistics(embed(network, store.images))
        return {"auc": 0.5 + len(told.losses) / 100, **seen}

    fit(
        model,
        batches,
        optimizer=keras.optimizers.Adam(3e-3),
        margin=lambda progress, distance: 0.2,
        guard=config.compose("train", ["guard=collapse"]).guard.build(),
        evaluate=evaluate,
        report=told,
        checkpoint=None,
        epochs=6,
        patience=6,
    )
    return told.losses


def test_hard_negatives_alone_collapse_and_the_guard_ends_it():
    """The loss of every kept triplet is above the margin, and shrinks with all distances."""
    with pytest.raises(Collapsed, match=r"collapsed in epoch \d: .*regularizer=spread") as ended:
        learn(miner=hard, regularizer=none_added)
    assert 2 <= ended.value.epoch <= 6


def test_with_the_regulariser_the_same_fit_is_healthy():
    losses = learn(miner=hard, regularizer=partial(spread, weight=0.3))
    assert len(losses) == 6
