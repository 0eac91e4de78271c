"""The model's loss against the paper's formulas in plain loops."""

import keras
import numpy as np
import pytest

from tests.training.fits import decayed_network, settings, unit
from tripletlab.errors import InputError
from tripletlab.training import backend
from tripletlab.training.model import TripletModel
from tripletlab.training.three_inputs import ThreeInputs
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import given, hard, semihard
from tripletlab.triplets.regularizers import none as none_added


def only_choice(distances, labels, margin, kind):
    """Losses by anchor-positive pair where one negative alone is valid, so no draw matters."""
    losses, pairs = [], 0
    for a in range(len(labels)):
        for p in range(a + 1, len(labels)):
            if labels[a] != labels[p]:
                continue
            pairs += 1
            low, high = (
                (-1, distances[a, p])
                if kind is hard
                else (distances[a, p], distances[a, p] + margin)
            )
            valid = [
                n
                for n in range(len(labels))
                if labels[n] != labels[a] and low < distances[a, n] < high
            ]
            if valid:
                losses.append([max(0, distances[a, p] - distances[a, n] + margin) for n in valid])
    return losses, pairs


@pytest.mark.parametrize("miner", [semihard, hard])
def test_the_loss_is_the_mean_hinge_of_the_kept_triplets(miner):
    embeddings, labels = unit(1), np.repeat(np.arange(4), 3).astype(np.int32)
    distances = ((embeddings[:, None] - embeddings[None]) ** 2).sum(axis=2)
    expected, pairs = only_choice(distances, labels, 0.3, miner)
    identity = keras.Sequential([keras.Input((8,)), keras.layers.Identity()])
    model = TripletModel(
        identity, miner=miner, loss=hinge, regularizer=none_added, margin=0.3, batch_size=12, seed=0
    )
    seen = [float(model.compute_loss(None, labels, embeddings)) for _ in range(200)]
    low = np.mean([min(losses) for losses in expected])
    high = np.mean([max(losses) for losses in expected])
    assert low - 1e-5 <= min(seen) <= max(seen) <= high + 1e-5
    assert np.mean(seen) == pytest.approx(np.mean([np.mean(one) for one in expected]), rel=0.03)
    assert float(model.trackers["kept"].result()) == pytest.approx(len(expected) / pairs)
    same = labels[:, None] == labels[None]
    upper = np.triu(np.ones_like(same), 1)
    trackers = {name: float(tracker.result()) for name, tracker in model.trackers.items()}
    assert trackers["positive_distance"] == pytest.approx(distances[same & upper].mean(), rel=1e-5)
    assert trackers["negative_distance"] == pytest.approx(distances[~same].mean(), rel=1e-5)
    assert trackers["active"] == trackers["kept"]  # of these kinds each costs something


def test_the_regularizers_loss_is_added_to_that_of_the_triplets():
    embeddings, labels = unit(1), np.repeat(np.arange(4), 3).astype(np.int32)
    given_to = []

    def regularizer(distances, labels, *, dim):
        given_to.append((np.asarray(distances), np.asarray(labels), dim))
        return keras.ops.convert_to_tensor(0.625)

    identity = keras.Sequential([keras.Input((8,)), keras.layers.Identity()])
    model = TripletModel(identity, **settings(regularizer=regularizer))
    loss = float(model.compute_loss(None, labels, embeddings))
    assert loss == pytest.approx(float(model.trackers["triplet_loss"].result()) + 0.625)
    [(distances, same, dim)] = given_to
    expected = ((embeddings[:, None] - embeddings[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(distances, expected, atol=1e-5)
    np.testing.assert_array_equal(same, labels)
    assert dim == 8


@pytest.mark.parametrize("kind", [TripletModel, ThreeInputs])
def test_the_networks_own_losses_are_part_of_the_loss(kind):
    backend.start(seed=1)
    embedder = decayed_network()
    dense = embedder.layers[0].get_layer("decayed")
    kernel = dense.get_weights()[0]
    points, labels = unit(1), np.array([0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3, 0], np.int32)
    model = kind(embedder, **settings(miner=given))
    model.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    seen = model.train_on_batch(points, labels, return_dict=True)
    decay, activity = 0.01 * (kernel**2).sum(), 0.01 * np.abs(points @ kernel).sum(axis=1).mean()
    passes = 3 if kind is ThreeInputs else 1  # Keras adds an activity's cost at every call
    assert min(decay, activity) > 0.02
    expected = seen["triplet_loss"] + decay + passes * activity
    assert seen["loss"] == pytest.approx(expected, rel=1e-4)


def test_weight_decay_reaches_the_weights():
    """All faces in one point and all labels equal: only the decay has a gradient."""
    backend.start(seed=1)
    embedder = decayed_network()
    dense = embedder.layers[0].get_layer("decayed")
    before = dense.get_weights()[0]
    model = TripletModel(embedder, **settings())
    model.compile(optimizer=keras.optimizers.SGD(1.0), jit_compile=False)
    model.train_on_batch(np.zeros((12, 8), np.float32), np.zeros(12, np.int32))
    np.testing.assert_allclose(dense.get_weights()[0], 0.98 * before, rtol=1e-4)


def test_a_model_needs_a_margin():
    missing = settings()
    del missing["margin"]
    with pytest.raises(TypeError, match="margin"):
        TripletModel(decayed_network(), **missing)


@pytest.mark.parametrize("margin", [0.0, -0.1, 4.1, float("nan")])
def test_a_margin_that_is_none_is_refused(margin):
    with pytest.raises(InputError, match="above 0 and at most 4"):
        TripletModel(decayed_network(), **settings(margin=margin))
    model = TripletModel(decayed_network(), **settings())
    with pytest.raises(InputError, match="above 0 and at most 4"):
        model.set_margin(margin)
    assert float(model.margin) == pytest.approx(0.3)


def test_weights_for_samples_are_refused():
    model = TripletModel(decayed_network(), **settings())
    model.compile(optimizer="sgd", jit_compile=False)
    labels = np.repeat(np.arange(4), 3).astype(np.int32)
    with pytest.raises(InputError, match="sample_weight"):
        model.train_on_batch(unit(1), labels, sample_weight=np.ones(12, np.float32))


def test_plain_fit_trains_with_the_margin_that_it_was_given():
    """As in one's own code: no callback of ours."""
    backend.start(seed=1)
    embedder = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(4), keras.layers.UnitNormalization()]
    )
    model = TripletModel(embedder, **settings(miner=semihard))
    model.compile(optimizer=keras.optimizers.Adam(0.01), jit_compile=False)
    labels = np.repeat(np.arange(4), 3).astype(np.int32)
    past = model.fit(unit(1), labels, batch_size=12, epochs=3, shuffle=False, verbose=0).history
    assert past["loss"][0] > 0.05
    assert past["kept"][0] > 0.1
