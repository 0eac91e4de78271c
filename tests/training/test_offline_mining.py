"""Offline mining: what is found, with which weights, and that a fit can rely on it."""

import keras
import numpy as np
import pytest

from tests.training.fits import Silent, small_network, unit
from tests.triplets import oracles
from tripletlab.errors import InputError
from tripletlab.training import backend, offline_mining
from tripletlab.training.augmentation import none
from tripletlab.training.fit import fit
from tripletlab.training.guard import none as unguarded
from tripletlab.training.inference import embed
from tripletlab.training.model import TripletModel
from tripletlab.training.offline_mining import OfflineTriplets, mine
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import batch_all, hard, semihard
from tripletlab.triplets.regularizers import none as none_added


def source(store, **changes):
    settings = {"people": 4, "photos": 5, "triplets": 6, "every": 2, "steps": 4, "seed": 1}
    given = {"augmentation": none, "miner": semihard, **settings, **changes}
    return OfflineTriplets(store, **given)


def test_what_is_found_is_what_a_search_finds():
    embeddings, labels = unit(3), np.repeat(np.arange(4), 3).astype(np.int32)
    distances = ((embeddings[:, None] - embeddings[None]) ** 2).sum(axis=2)
    rng = np.random.default_rng(0)
    found = {
        pair: [n for a, p, n in mine(embeddings, labels, miner=hard, margin=0.2, rng=rng)
               if (a, p) == pair]
        for pair in oracles.all_pairs(distances, labels)
    }  # fmt: skip
    for pair, negatives in found.items():
        valid = oracles.valid("hard", distances, labels, *pair, 0.2)
        assert len(negatives) == bool(valid)
        assert set(negatives) <= set(valid)


def test_a_batch_is_anchors_positives_negatives(store):
    batches = source(store)
    backend.start(seed=1)
    model = TripletModel(
        small_network(),
        miner=batches.miner,
        loss=hinge,
        regularizer=none_added,
        margin=0.5,
        batch_size=batches.batch_size,
        seed=1,
    )
    batches.begin(1, model)
    faces, labels = batches[0]
    assert faces.shape == (18, 32, 32, 1)
    anchors, positives, negatives = np.split(labels, 3)
    np.testing.assert_array_equal(anchors, positives)
    assert (anchors != negatives).all()
    a, p, n = np.split(embed(model.embedder, faces[..., 0]), 3)
    near, far = ((a - p) ** 2).sum(axis=1), ((a - n) ** 2).sum(axis=1)
    assert ((near < far) & (far < near + 0.5)).all()  # semi-hard, each of them


def test_triplets_are_repeated_only_where_there_are_too_few(store):
    batches = source(store, triplets=6, every=99)
    triplets = np.stack([np.arange(6), np.arange(6) + 1, np.arange(6) + 10], axis=1)
    for enough in (6, 5):
        batches.found = triplets[:enough]
        faces, _ = batches[1]  # every 99th batch mines, and this one does not
        anchors = {face.tobytes() for face in faces[:6, ..., 0]}
        assert anchors <= {batches.images[row].tobytes() for row in batches.rows[:enough]}
        assert (len(anchors) == 6) == (enough == 6)


def test_without_anything_found_negatives_are_other_people(store):
    batches = source(store)
    _, labels = batches[0]  # nothing has begun: no weights to mine with
    anchors, positives, negatives = np.split(labels, 3)
    np.testing.assert_array_equal(anchors, positives)
    assert (anchors != negatives).all()


def learn(store, *, every):
    """A fit on offline triplets; the weights after each step, and those that each mining saw."""
    backend.start(seed=1)
    batches = source(store, every=every)
    embedder, seen = small_network(), []
    after, told = [embedder.get_weights()], Silent()
    told.step = lambda: after.append(embedder.get_weights())
    model = TripletModel(
        embedder,
        miner=batches.miner,
        loss=hinge,
        regularizer=none_added,
        margin=0.5,
        batch_size=batches.batch_size,
        seed=1,
    )
    watched = offline_mining.embed

    def watching(network, faces):
        seen.append(network.get_weights())
        return watched(network, faces)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offline_mining, "embed", watching)
        fit(
            model,
            batches,
            optimizer=keras.optimizers.Adam(1e-3),
            margin=lambda progress, distance: 0.5,
            guard=unguarded,
            evaluate=lambda network, margin: {
                "auc": 0.5 + len(told.losses) / 100,
                "mean_distance": 1.0,
            },
            report=told,
            checkpoint=None,
            epochs=3,
            patience=3,
        )
    return after, seen


def test_it_mines_every_n_steps_with_the_weights_of_that_step(store):
    """Keras asks for batches ahead of time; the mining waits for the steps before it."""
    every = 2
    after, seen = learn(store, every=every)
    assert len(after) == 1 + 12
    assert len(seen) == 12 // every
    for weights, then in zip(seen, after[::every], strict=False):
        for one, other in zip(weights, then, strict=True):
            np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(seen[0], seen[1], strict=True))


def test_what_it_cannot_work_with(store):
    with pytest.raises(InputError, match="another miner"):
        source(store, miner=batch_all)
    with pytest.raises(InputError, match="no tree of training photos"):
        source(store, photos=11)
