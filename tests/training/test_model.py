"""The model's loss against the paper's formulas in plain loops, and a fit that can be repeated."""

import keras
import numpy as np
import pytest

from tests.stores import make_store
from tripletlab.architectures.network import network
from tripletlab.architectures.tables import simple_cnn
from tripletlab.errors import InputError
from tripletlab.training import backend
from tripletlab.training.augmentation import none
from tripletlab.training.batches import PeopleByPhotos
from tripletlab.training.fit import fit
from tripletlab.training.guard import none as unguarded
from tripletlab.training.inference import embed, images_per_second
from tripletlab.training.model import TripletModel
from tripletlab.training.three_inputs import ThreeInputs
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import given, hard, semihard
from tripletlab.triplets.regularizers import none as none_added


def small_network():
    return network(
        table=simple_cnn(),
        input_size=32,
        embedding_dim=16,
        width=0.25,
        batch_norm=False,
        pool=None,
        dtype="float32",
    )


def small_batches(*, seed):
    return PeopleByPhotos(
        make_store(entries=12, photos=6),
        people=4,
        photos=4,
        steps=4,
        augmentation=none,
        miner=semihard,
        seed=seed,
    )


def unit(seed, shape=(12, 8)):
    points = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


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


def settings(**changes):
    return {
        "miner": hard,
        "loss": hinge,
        "regularizer": none_added,
        "margin": 0.3,
        "batch_size": 12,
        "seed": 0,
        **changes,
    }


def decayed_network():
    """Eight numbers to eight: a layer with weight decay, and one whose activity costs, nested."""
    inner = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(8, kernel_regularizer="l2", name="decayed"),
            keras.layers.ActivityRegularization(l1=0.01),
        ]
    )
    return keras.Sequential([keras.Input((8,)), inner, keras.layers.UnitNormalization()])


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


class Silent:
    def __init__(self):
        self.losses, self.steps = [], 0

    def step(self):
        self.steps += 1

    def epoch(self, epoch, metrics):
        self.losses.append(metrics["train/loss"])


def run(*, seed=1, epochs=3, scores=(0.5, 0.6, 0.7), patience=5):
    """The losses, weights and best epoch of a short fit with scripted validation scores."""
    backend.start(seed=seed)
    batches = small_batches(seed=seed)
    embedder = small_network()
    model = TripletModel(
        embedder,
        miner=semihard,
        loss=hinge,
        regularizer=none_added,
        margin=0.2,
        batch_size=16,
        seed=seed,
    )
    given, seen, weights = iter([0.5, *scores]), Silent(), []  # first the untrained network's

    def evaluate(network, margin):
        assert margin == pytest.approx(0.2)
        weights.append([value.copy() for value in network.get_weights()])
        return {"auc": next(given), "mean_distance": 1.0}

    best = fit(
        model,
        batches,
        optimizer=keras.optimizers.Adam(1e-3),
        margin=lambda progress, distance: 0.2,
        guard=unguarded,
        checkpoint=None,
        evaluate=evaluate,
        report=seen,
        epochs=epochs,
        patience=patience,
    )
    return seen, embedder, weights[1:], best.best_epoch


def test_the_same_seed_gives_the_same_numbers_to_the_last_bit():
    one, network, *_ = run()
    same, again, *_ = run()
    assert one.losses == same.losses
    for a, b in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert run(seed=2)[0].losses != one.losses


def test_training_lowers_the_loss():
    seen, *_ = run(epochs=12, scores=[0.5 + epoch / 100 for epoch in range(12)], patience=12)
    assert seen.losses[-1] < 0.8 * seen.losses[0]
    assert seen.steps == 12 * 4


def test_the_best_epoch_is_kept():
    _, embedder, weights, best = run(scores=(0.5, 0.9, 0.7))
    assert best == 2
    for kept, then in zip(embedder.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(kept, then)


def test_training_stops_when_validation_does_not_improve():
    seen, *_ = run(epochs=20, scores=[0.9] + [0.5] * 19, patience=2)
    assert len(seen.losses) == 3


def test_numbers_beyond_the_finite_end_the_fit():
    backend.start(seed=1)
    batches = small_batches(seed=1)
    embedder = small_network()
    embedder.set_weights([np.full_like(value, np.nan) for value in embedder.get_weights()])
    model = TripletModel(
        embedder,
        miner=semihard,
        loss=hinge,
        regularizer=none_added,
        margin=0.2,
        batch_size=16,
        seed=1,
    )
    with pytest.raises(FloatingPointError, match="learning rate"):
        fit(
            model,
            batches,
            optimizer=keras.optimizers.Adam(1e-3),
            margin=lambda progress, distance: 0.2,
            evaluate=lambda network, margin: {"auc": 0.5, "mean_distance": 1.0},
            report=Silent(),
            guard=unguarded,
            checkpoint=None,
            epochs=1,
            patience=1,
        )


def test_embedding_in_batches_is_embedding_one_by_one():
    backend.start(seed=1)
    faces = np.random.default_rng(0).integers(0, 256, (300, 32, 32)).astype(np.uint8)
    embedder = small_network()
    embedded = embed(embedder, faces)
    assert embedded.shape == (300, 16)
    assert embedded.dtype == np.float32
    alone = np.asarray(embedder(faces[271:272, ..., None].astype(np.float32)))
    np.testing.assert_allclose(embedded[271:272], alone, atol=1e-5)
    assert 0 < images_per_second(embedder, faces[:3]) < float("inf")
