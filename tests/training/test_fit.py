"""A fit: what it repeats, keeps, reports and resumes."""

import math
from functools import partial
from itertools import count
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.training.fits import Silent, dense_network, small_batches, small_network
from tripletlab.errors import InputError
from tripletlab.training import backend, rates
from tripletlab.training.fit import fit
from tripletlab.training.guard import Collapsed
from tripletlab.training.guard import none as unguarded
from tripletlab.training.model import TripletModel
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import batch_all, semihard
from tripletlab.triplets.regularizers import none as none_added

FIGURES = {"loss", "triplet_loss", "kept", "active", "positive_distance", "negative_distance"}
FIGURES |= {"margin", "learning_rate", "images_per_second"}


class Kept(Silent):
    """Keeps the metrics of every epoch by its number; `fails` in one of them."""

    def __init__(self, fails=None):
        super().__init__()
        self.epochs, self.fails = {}, fails

    def epoch(self, epoch, metrics):
        if epoch == self.fails:
            raise ConnectionError("the tracking server is away")
        super().epoch(epoch, metrics)
        self.epochs[epoch] = metrics


def scripted(scores, distances=None):
    """Validation metrics written beforehand; the first are those of the untrained network."""
    distances = count(1) if distances is None else iter(distances)
    given = iter([0.5, *scores])
    return lambda network: {"auc": next(given), "mean_distance": float(next(distances))}


def by_weights(network):
    """Validation metrics that depend on the weights alone."""
    spread = float(np.abs(network.get_weights()[0]).mean())
    return {"auc": 1 - spread, "mean_distance": spread}


def constant(progress, *, distance):
    return 0.2


def run(
    make=dense_network, *, miner=batch_all, fails=(), seed=1, epochs=3, evaluate=None, **changes
):
    """A short fit: its report, progress, or error that `fails`; the weights at every validation."""
    backend.start(seed=seed)
    embedder, batches = make(), small_batches(seed=seed)
    settings = {"miner": miner, "loss": hinge, "regularizer": none_added, "margin": 0.1}
    model = TripletModel(embedder, **settings, batch_size=16, seed=seed)
    evaluate, weights = evaluate or scripted([0.6, 0.7, 0.8]), []

    def evaluated(network, margin):
        weights.append([value.copy() for value in network.get_weights()])
        return evaluate(network)

    changes = {"report": Kept(), "margin": constant, "guard": unguarded, "patience": 5, **changes}
    ended = []
    batches.end = lambda: ended.append(True)
    done = SimpleNamespace(report=changes["report"], embedder=embedder, model=model, ended=ended)
    optimizer = changes.pop("optimizer", None) or keras.optimizers.Adam(1e-3)
    changes.setdefault("checkpoint", None)
    done.weights = weights
    try:
        done.progress = fit(
            model, batches, optimizer=optimizer, evaluate=evaluated, epochs=epochs, **changes
        )
    except fails as error:
        done.error = error
    return done


def assert_same(weights, others):
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_seed_gives_the_same_numbers_to_the_last_bit():
    one, same = run(small_network, miner=semihard), run(small_network, miner=semihard)
    assert one.report.losses == same.report.losses
    assert_same(one.embedder.get_weights(), same.embedder.get_weights())
    assert run(small_network, miner=semihard, seed=2).report.losses != one.report.losses


def test_training_lowers_the_loss():
    scores = [0.5 + epoch / 100 for epoch in range(12)]
    done = run(small_network, miner=semihard, epochs=12, evaluate=scripted(scores), patience=12)
    assert done.report.losses[-1] < 0.8 * done.report.losses[0]
    assert done.report.steps == 12 * 4


def test_the_best_epoch_is_kept():
    done = run(evaluate=scripted([0.5, 0.9, 0.7]))
    assert done.progress.best_epoch == 2
    assert_same(done.embedder.get_weights(), done.weights[2])
    assert (done.weights[2][0] != done.weights[3][0]).any()


def test_moving_averages_of_the_weights_are_evaluated_and_kept_and_training_goes_on_as_without():
    plain, steps = run(), Kept()
    optimizer = keras.optimizers.Adam(1e-3, use_ema=True, ema_momentum=0.5)
    networks, averages, raw = [], [], []

    def make():
        networks.append(dense_network())
        return networks[0]

    def stepped():
        raw.append(networks[0].get_weights())
        mix = [(w + a) / 2 for w, a in zip(raw[-1], averages[-1], strict=True)] if averages else 0
        averages.append(mix or raw[-1])

    steps.step = stepped
    averaged = run(make, optimizer=optimizer, report=steps)
    assert steps.losses == plain.report.losses
    for epoch, evaluated in enumerate(averaged.weights[1:], start=1):
        for one, other in zip(evaluated, averages[4 * epoch - 1], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
        assert (evaluated[0] != raw[4 * epoch - 1][0]).any()
    assert_same(averaged.embedder.get_weights(), averaged.weights[3])


def test_training_stops_when_validation_does_not_improve():
    done = run(epochs=20, evaluate=scripted([0.9] + [0.5] * 19), patience=2)
    assert list(done.report.epochs) == [1, 2, 3]
    assert_same(done.embedder.get_weights(), done.weights[1])


def test_every_metric_is_reported_under_its_source():
    first = run(epochs=1).report.epochs[1]
    assert set(first) == {f"train/{one}" for one in FIGURES} | {"val/auc", "val/mean_distance"}
    assert all(isinstance(value, float) and math.isfinite(value) for value in first.values())
    assert first["train/margin"] == pytest.approx(0.2)
    assert first["train/learning_rate"] == pytest.approx(1e-3)
    assert first["val/auc"] == 0.6


def test_an_epoch_has_the_learning_rate_of_its_last_step():
    """Two epochs of four steps, and the rate falls between them."""
    stairs = partial(rates.step, warm_up=0.0, stairs=2, factor=0.1)
    adam = rates.scheduled(partial(keras.optimizers.Adam, learning_rate=1e-3), stairs, steps=8)
    epochs = run(epochs=2, optimizer=adam).report.epochs
    logged = [epochs[epoch]["train/learning_rate"] for epoch in (1, 2)]
    np.testing.assert_allclose(logged, [1e-3, 1e-4], rtol=1e-6)


@pytest.mark.parametrize(("epochs", "progress"), [(1, [0]), (3, [0, 0.5, 1])])
def test_the_margin_follows_the_fit_and_the_distance_before_each_epoch(epochs, progress):
    asked = []

    def schedule(progress, *, distance):
        asked.append((progress, distance))
        return 0.1 + progress / 10

    evaluate = scripted([0.6, 0.7, 0.8], distances=[4, 3, 2, 1])
    done = run(epochs=epochs, margin=schedule, evaluate=evaluate)
    assert asked == list(zip(progress, [4, 3, 2], strict=False))
    margins = [metrics["train/margin"] for metrics in done.report.epochs.values()]
    assert margins == pytest.approx([0.1 + one / 10 for one in progress])


def test_a_margin_that_a_schedule_may_not_give_ends_the_fit():
    done = run(margin=lambda progress, distance: -distance, fails=InputError)
    assert "margin=-1.0" in str(done.error)


def test_weights_that_are_not_finite_end_the_fit():
    def broken():
        embedder = dense_network()
        embedder.set_weights([np.full_like(value, np.nan) for value in embedder.get_weights()])
        return embedder

    done = run(broken, fails=FloatingPointError)
    assert "lower optimizer.learning_rate" in str(done.error)
    assert done.report.epochs == {}


def test_weights_that_the_last_step_of_an_epoch_broke_are_not_the_best():
    """The loss of that step was finite still; the ranks of distances that are none make an AUC."""
    done = run(evaluate=scripted([0.6, 1.0], distances=[1, 1, math.nan]), fails=FloatingPointError)
    assert "lower optimizer.learning_rate" in str(done.error)
    assert list(done.report.epochs) == [1]


def test_a_collapsed_epoch_is_reported_and_not_saved(tmp_path):
    path = tmp_path / "fit.checkpoint"

    def guard(distances):
        return "one point" if len(distances) == 3 else None

    done = run(guard=guard, checkpoint=path, fails=Collapsed)
    assert done.error.epoch == 2
    assert str(done.error).startswith("training collapsed in epoch 2: one point; what usually")
    assert list(done.report.epochs) == [1, 2]
    assert list(run(checkpoint=path).report.epochs) == [2, 3]


def test_whatever_ends_a_fit_ends_the_batches():
    assert run(patience=0, evaluate=scripted([0.4, 0.3])).ended == [True]
    assert run(report=Kept(fails=1), fails=ConnectionError).ended == [True]


@pytest.mark.parametrize("averages", [{}, {"use_ema": True, "ema_momentum": 0.9}])
def test_an_epoch_that_was_not_reported_is_trained_again(tmp_path, averages):
    """And all ends as in the fit that was not interrupted."""

    def fresh():
        return {"optimizer": keras.optimizers.Adam(1e-3, **averages), "evaluate": by_weights}

    path = tmp_path / "fit.checkpoint"
    whole = run(epochs=4, **fresh())
    failing = {"report": Kept(fails=3), "fails": ConnectionError}
    failed = run(epochs=4, checkpoint=path, **fresh(), **failing)
    assert failed.error
    resumed = run(epochs=4, checkpoint=path, **fresh())
    assert list(resumed.report.epochs) == [3, 4]
    assert resumed.report.steps == whole.report.steps == 16  # a bar begins where it was
    assert resumed.report.before == [failed.report.epochs[1], failed.report.epochs[2]]
    assert [one["val/auc"] for one in resumed.progress.metrics] == [
        one["val/auc"] for one in whole.progress.metrics
    ]
    assert len(resumed.weights) == 2  # the untrained network is not validated again
    assert_same(resumed.model.get_weights(), whole.model.get_weights())
    for epoch in (3, 4):
        for metric in whole.report.epochs[epoch].keys() - {"train/images_per_second"}:
            assert resumed.report.epochs[epoch][metric] == whole.report.epochs[epoch][metric]
    assert (resumed.progress.distances, resumed.progress.best_epoch) == (
        whole.progress.distances,
        whole.progress.best_epoch,
    )


def test_a_fit_that_had_lost_its_patience_trains_no_more(tmp_path):
    path = tmp_path / "fit.checkpoint"
    first = run(epochs=9, evaluate=scripted([0.9, 0.1, 0.1]), patience=2, checkpoint=path)
    again = run(epochs=9, evaluate=scripted([]), patience=2, checkpoint=path)
    assert (first.progress.epoch, again.progress.epoch) == (3, 3)
    assert again.report.epochs == {}
    assert_same(again.embedder.get_weights(), first.embedder.get_weights())


def test_a_longer_fit_goes_on_where_a_shorter_one_ended(tmp_path):
    path = tmp_path / "fit.checkpoint"
    run(epochs=1, evaluate=by_weights, checkpoint=path)
    assert list(run(epochs=2, evaluate=by_weights, checkpoint=path).report.epochs) == [2]
