"""Each callback alone, on a model of one layer and metrics written by hand."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripletlab.training.callbacks import (
    BestWeights,
    CheckpointCallback,
    CollapseGuard,
    ReportCallback,
    ScheduleCallback,
    ValidationCallback,
)
from tripletlab.training.checkpoint import Progress, load
from tripletlab.training.guard import ADVICE, Collapsed
from tripletlab.training.model import TripletModel
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import hard
from tripletlab.triplets.regularizers import none


def make_model():
    embedder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, use_bias=False)])
    settings = {"miner": hard, "loss": hinge, "regularizer": none, "margin": 0.3}
    model = TripletModel(embedder, **settings, batch_size=6, seed=0)
    model.compile(optimizer=keras.optimizers.Adam(0.01), jit_compile=False)
    return model


MODEL = make_model()


def attached(callback):
    callback.set_model(MODEL)
    return callback


def set_weights(value):
    MODEL.embedder.set_weights([np.full((4, 2), value, np.float32)])


class Batches(list):
    """Keeps what the callbacks pass on."""

    def begin(self, epoch, model):
        self.append(("begin", epoch, float(model.margin)))

    def learned(self, steps):
        self.append(("learned", steps))


def test_the_margin_is_set_before_the_batches_of_the_epoch_are_made():
    batches, asked = Batches(), []

    def schedule(progress, *, distance):
        asked.append((progress, distance))
        return 0.5 - progress / 4

    progress = Progress(distances=[1.5, 0.7])
    callback = attached(ScheduleCallback(batches, schedule, progress, epochs=5))
    callback.on_epoch_begin(1)
    callback.on_train_batch_end(0)
    callback.on_train_batch_end(1)
    assert asked == [(0.25, 0.7)]
    assert batches == [("begin", 2, 0.4375), ("learned", 1), ("learned", 2)]


def test_one_epoch_is_the_first_of_its_schedule():
    seen = []
    callback = ScheduleCallback(
        Batches(),
        lambda progress, *, distance: seen.append(progress) or 0.2,
        Progress(distances=[1.0]),
        epochs=1,
    )
    attached(callback).on_epoch_begin(0)
    assert seen == [0]


def validation(progress, metrics, *, images=30):
    asked = []

    def evaluate(embedder, margin):
        assert embedder is MODEL.embedder
        asked.append(margin)
        return metrics

    return attached(ValidationCallback(evaluate, progress, images=images)), asked


def test_the_untrained_network_is_validated_once():
    progress = Progress()
    callback, asked = validation(progress, {"auc": 0.5, "mean_distance": 0.04})
    MODEL.set_margin(0.25)
    callback.on_train_begin()
    assert (progress.distances, asked) == ([0.04], [0.25])
    callback.on_train_begin()  # of a fit that goes on
    assert (progress.distances, asked) == ([0.04], [0.25])


def test_an_epoch_gets_the_validation_metrics_the_margin_and_the_speed(monkeypatch):
    clock = iter([100.0, 102.5])
    monkeypatch.setattr("tripletlab.training.callbacks.time.perf_counter", lambda: next(clock))
    progress = Progress(distances=[0.04], speeds=[9.0], seconds=7.0)
    callback, _ = validation(progress, {"auc": 0.75, "loss": 0.1, "mean_distance": 0.5})
    MODEL.set_margin(0.25)
    logs = {"loss": 0.2}
    callback.on_epoch_begin(3)
    callback.on_epoch_end(3, logs)
    assert logs.pop("learning_rate") == pytest.approx(0.01)
    assert logs == {
        "loss": 0.2,
        "images_per_second": 12.0,
        "margin": 0.25,
        "val_auc": 0.75,
        "val_loss": 0.1,
        "val_mean_distance": 0.5,
    }
    assert progress.distances == [0.04, 0.5]
    assert (progress.speeds, progress.seconds) == ([9.0, 12.0], 9.5)


NOT_FINITE = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("value", NOT_FINITE)
def test_a_metric_that_is_not_finite_ends_the_training(value):
    callback, _ = validation(Progress(), {})
    callback.on_train_batch_end(0, {"loss": 0.1, "kept": 0.0})
    hint = r"give a lower optimizer\.learning_rate$"  # the rate of the moment is a schedule's
    with pytest.raises(FloatingPointError, match=hint):
        callback.on_train_batch_end(1, {"loss": 0.0, "positive_distance": value})


@pytest.mark.parametrize("value", NOT_FINITE)
def test_so_does_a_validation_metric_and_nothing_is_kept_of_it(value):
    progress = Progress(distances=[0.04])
    callback, _ = validation(progress, {"auc": 1.0, "loss": value, "mean_distance": 1.0})
    callback.on_epoch_begin(0)
    with pytest.raises(FloatingPointError, match="finite numbers"):
        callback.on_epoch_end(0, {})
    assert progress.distances == [0.04]


@settings(max_examples=60, deadline=None)
@given(
    scores=st.lists(st.sampled_from([0.3, 0.5, 0.500001, 0.7, 1.0]), min_size=1, max_size=12),
    patience=st.integers(0, 4),
)
def test_the_first_of_the_best_epochs_is_kept_until_patience_ends(scores, patience):
    progress = Progress()
    callback = attached(BestWeights(progress, patience=patience))
    trained = []
    for epoch, score in enumerate(scores):
        set_weights(epoch + 1)
        callback.on_epoch_end(epoch, {"val_auc": score})
        trained.append(score)
        if MODEL.stop_training:
            break
    best = trained.index(max(trained)) + 1
    assert (progress.epoch, progress.best_epoch) == (len(trained), best)
    assert progress.best_score == max(trained)
    np.testing.assert_array_equal(progress.best_weights[0], np.full((4, 2), best))
    waited = [k - (trained[:k].index(max(trained[:k])) + 1) for k in range(1, len(trained) + 1)]
    assert MODEL.stop_training == (waited[-1] >= max(patience, 1))
    assert all(epochs < max(patience, 1) for epochs in waited[:-1])


def test_the_kept_weights_do_not_change_with_the_network():
    progress = Progress()
    callback = attached(BestWeights(progress, patience=3))
    set_weights(1)
    callback.on_epoch_end(0, {"val_auc": 0.9})
    set_weights(2)
    callback.on_epoch_end(1, {"val_auc": 0.9})
    assert (progress.best_weights[0] == 1).all()


def test_metrics_are_reported_by_their_source():
    reported, steps = [], []
    report = SimpleNamespace(
        step=lambda: steps.append(1), epoch=lambda *given: reported.append(given)
    )
    callback = attached(ReportCallback(report, progress := Progress(), steps_done=7))
    callback.on_train_begin()
    assert len(steps) == 7
    callback.on_train_batch_end(0)
    assert len(steps) == 8
    logs = {"loss": np.float32(0.5), "val_loss": 0.25, "val_auc": 1, "margin": 0.2}
    callback.on_epoch_end(4, logs)
    ((epoch, metrics),) = reported
    assert epoch == 5
    assert metrics == {"train/loss": 0.5, "val/loss": 0.25, "val/auc": 1, "train/margin": 0.2}
    assert all(type(value) is float for value in metrics.values())  # MLflow takes no other
    assert progress.metrics == [metrics]


def test_the_guard_reads_all_distances_so_far():
    progress, asked = Progress(distances=[0.4, 0.3]), []

    def guard(distances):
        asked.append(list(distances))
        return "all faces fall into one point" if len(distances) > 2 else None

    callback = attached(CollapseGuard(guard, progress))
    callback.on_epoch_end(0, {})
    progress.distances.append(0.001)
    with pytest.raises(Collapsed) as ended:
        callback.on_epoch_end(1, {})
    assert asked == [[0.4, 0.3], [0.4, 0.3, 0.001]]
    assert str(ended.value) == (
        f"training collapsed in epoch 2: all faces fall into one point; {ADVICE}"
    )
    assert ended.value.epoch == 2


def test_a_saved_epoch_gives_all_of_it_back(tmp_path):
    path = tmp_path / "deeper" / "fit.checkpoint"
    best = [np.arange(8, dtype=np.float32).reshape(4, 2)]
    progress = Progress(3, 2, 0.75, 1.5, [10.0, 20.0], [0.1, 0.2], [{"val/auc": 0.75}], best)
    set_weights(4)
    MODEL.set_margin(0.35)
    attached(CheckpointCallback(path, progress)).on_epoch_end(2, {})
    set_weights(5)
    MODEL.set_margin(0.1)
    back = load(path, MODEL)
    assert (MODEL.embedder.get_weights()[0] == 4).all()
    assert float(MODEL.margin) == pytest.approx(0.35)
    np.testing.assert_array_equal(back.best_weights[0], best[0])
    back.best_weights = progress.best_weights
    assert back == progress
