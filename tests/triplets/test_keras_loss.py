"""The triplet loss in a plain Keras model, without anything else of tripletlab's."""

import keras
import numpy as np
import pytest

from tripletlab.triplets.keras_loss import TripletLoss
from tripletlab.triplets.miners import batch_all, batch_hard, hard, semihard

PEOPLE, PHOTOS, PIXELS = 6, 4, 12


def blobs(count, *, seed=0):
    """Batches of people × photos: a spot of its own for every person, and noise."""
    rng = np.random.default_rng(seed)
    spots = np.random.default_rng(9).normal(size=(PEOPLE, PIXELS))
    labels = np.tile(np.repeat(np.arange(PEOPLE), PHOTOS), count)
    return (spots[labels] + rng.normal(size=(len(labels), PIXELS))).astype(np.float32), labels


def network():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((PIXELS,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(4),
            keras.layers.UnitNormalization(),
        ]
    )


def auc(embeddings, labels):
    """The share of (matched, mismatched) pairs in the right order."""
    distances = ((embeddings[:, None] - embeddings[None]) ** 2).sum(-1)
    upper = np.triu(np.ones_like(distances, bool), 1)
    same = labels[:, None] == labels[None]
    matched, mismatched = distances[upper & same], distances[upper & ~same]
    return (matched[:, None] < mismatched[None]).mean()


@pytest.mark.parametrize("miner", [semihard, batch_hard, batch_all])
def test_a_model_of_ones_own_is_trained_by_it(miner):
    model, (faces, labels) = network(), blobs(40)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=TripletLoss(margin=0.2, miner=miner))
    new, whose = blobs(2, seed=5)
    before = auc(model.predict(new, verbose=0), whose)
    batch = PEOPLE * PHOTOS
    history = model.fit(faces, labels, batch_size=batch, epochs=3, shuffle=False, verbose=0)
    assert auc(model.predict(new, verbose=0), whose) > before + 0.05
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_the_loss_is_the_hinge_over_hard_triplets():
    """By plain loops: the mean over pairs that have a hard negative, one of which was drawn."""
    faces, labels = blobs(1)
    embeddings = faces / np.linalg.norm(faces, axis=1, keepdims=True)
    distances = ((embeddings[:, None] - embeddings[None]) ** 2).sum(-1)
    lows, highs = [], []
    for a in range(len(labels)):
        for p in range(a + 1, len(labels)):
            negatives = distances[a, (labels != labels[a]) & (distances[a] < distances[a, p])]
            if labels[a] == labels[p] and len(negatives):
                losses = distances[a, p] - negatives + 0.2
                lows.append(losses.min())
                highs.append(losses.max())
    value = float(TripletLoss(margin=0.2, miner=hard)(labels, embeddings))
    assert np.mean(lows) <= value <= np.mean(highs)


def test_without_a_triplet_the_loss_is_zero():
    same = np.zeros(4, np.int64)
    assert float(TripletLoss(margin=0.2)(same, np.eye(4, dtype=np.float32))) == 0


@pytest.mark.parametrize("margin", [0, -1, 5, float("nan")])
def test_a_margin_that_cannot_be_is_refused(margin):
    with pytest.raises(ValueError, match="between 0 and 4"):
        TripletLoss(margin=margin)


def test_the_seed_repeats_the_choice():
    faces, labels = blobs(1)
    embeddings = faces / np.linalg.norm(faces, axis=1, keepdims=True)
    one, same, other = (TripletLoss(margin=0.2, miner=hard, seed=seed) for seed in (1, 1, 2))
    assert float(one(labels, embeddings)) == float(same(labels, embeddings))
    assert float(same(labels, embeddings)) != float(other(labels, embeddings))


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_large_labels_stay_apart(dtype):
    """As ids of a database are: 2**24 + 1 is no float32, and 2**32 no 32-bit integer."""
    faces, labels = blobs(4)
    losses = []
    for numbers in (labels, labels + 20_000_000, labels.astype(np.int64) * 2**32):
        keras.config.set_dtype_policy(dtype)
        try:
            model = network()
        finally:
            keras.config.set_dtype_policy("float32")
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss=TripletLoss(margin=0.2))
        batch = PEOPLE * PHOTOS
        history = model.fit(faces, numbers, batch_size=batch, shuffle=False, verbose=0)
        losses.append(history.history["loss"][0])
    assert losses[0] == losses[1] == losses[2] > 0


def test_weights_of_samples_are_refused():
    model, (faces, labels) = network(), blobs(1)
    model.compile(loss=TripletLoss(margin=0.2))
    with pytest.raises(ValueError, match="leave sample_weight out"):
        model.fit(faces, labels, sample_weight=np.ones(len(labels)), verbose=0)


@pytest.mark.parametrize("miner", [batch_hard, batch_all])  # which draw nothing
def test_the_last_batch_may_be_smaller(miner):
    """The graph then leaves the batch size open."""
    model, (faces, labels) = network(), blobs(3)
    loss = TripletLoss(margin=0.2, miner=miner)
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss=loss)
    history = model.fit(faces[:50], labels[:50], batch_size=20, shuffle=False, verbose=0)
    parts = [slice(0, 20), slice(20, 40), slice(40, 50)]
    embeddings = model.predict(faces, verbose=0)
    losses = [float(loss(labels[one], embeddings[one])) for one in parts]
    expected = np.average(losses, weights=[20, 20, 10])
    assert history.history["loss"][0] == pytest.approx(expected, rel=1e-4)


def test_a_saved_model_is_loaded_without_the_loss(tmp_path):
    model, (faces, labels) = network(), blobs(1)
    model.compile(loss=TripletLoss(margin=0.2))
    model.fit(faces, labels, batch_size=len(labels), verbose=0)
    model.save(tmp_path / "mine.keras")
    loaded = keras.models.load_model(tmp_path / "mine.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict(faces, verbose=0), model.predict(faces, verbose=0))
