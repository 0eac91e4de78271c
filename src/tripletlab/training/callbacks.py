"""Callbacks of a fit: schedules, validation, best weights, report, collapse guard, checkpoint.

They stand in this order in `fit`: each adds to the metrics of an epoch what the next ones read.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras

from tripletlab.training.batches import Batches
from tripletlab.training.checkpoint import Progress, save
from tripletlab.training.guard import ADVICE, Collapsed
from tripletlab.training.rates import rate_of_last_step

Evaluate = Callable[[keras.Model, float], dict[str, float]]  # embedder, margin -> metrics
Guard = Callable[[Sequence[float]], str | None]  # see tripletlab.training.guard.collapse
WATCHED, DISTANCE = "val_auc", "mean_distance"


class MarginSchedule(Protocol):
    """The margin of an epoch; tripletlab.triplets.margins states the contract."""

    def __call__(self, progress: float, *, distance: float) -> float: ...


class Report(Protocol):
    """What follows a fit: called after each batch and each epoch."""

    def resumed(self, epochs: Sequence[Mapping[str, float]]) -> None:
        """The fit begins after these epochs, given by their metrics; after none, if it is new."""

    def step(self) -> None:
        """A batch was trained on."""

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch ended; the first is 1."""


class ScheduleCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the margin of each epoch, and keeps the batches informed of the fit's progress."""

    def __init__(
        self, batches: Batches, margin: MarginSchedule, progress: Progress, *, epochs: int
    ) -> None:
        super().__init__()
        self.batches, self.margin, self.progress, self.epochs = batches, margin, progress, epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Assign the epoch's margin: progress is 0 in the first epoch and 1 in the last."""
        progress = epoch / max(self.epochs - 1, 1)
        self.model.set_margin(self.margin(progress, distance=self.progress.distances[-1]))
        self.batches.begin(epoch + 1, self.model)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Pass on that the weights have changed."""
        self.batches.learned(batch + 1)


class SwapAverages(keras.callbacks.Callback):  # type: ignore[misc]
    """Exchanges the weights with their moving averages where the optimizer keeps these.

    It stands before the callbacks that evaluate and keep the weights, and once more behind them.
    Keras' SwapEMAWeights exchanges by additions, which round.
    """

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Exchange them, if the optimizer has `use_ema`."""
        optimizer = self.model.optimizer
        if optimizer.use_ema:
            averages = optimizer._model_variables_moving_average  # as SwapEMAWeights reads them
            for weight, average in zip(self.model.trainable_variables, averages, strict=True):
                value = keras.ops.convert_to_numpy(weight)
                weight.assign(average)
                average.assign(value)


class ValidationCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Adds the validation metrics of the embedder to those of each epoch.

    It stands before the callbacks that read them. Seconds and images a second are of the training
    steps alone.
    """

    def __init__(self, evaluate: Evaluate, progress: Progress, *, images: int) -> None:
        super().__init__()
        self.evaluate, self.progress = evaluate, progress
        self.images, self.started = images, 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Record the mean distance of the untrained network's embeddings."""
        if not self.progress.distances:
            metrics = self.evaluate(self.model.embedder, float(self.model.margin))
            self.progress.distances.append(metrics[DISTANCE])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Raise FloatingPointError when a metric is not finite.

        No triplet is kept where distances are not finite, and a loss of 0 would pass for success.
        """
        self._check_finite(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Evaluate the embedder, and add the margin, the last step's rate and the speed."""
        seconds = time.perf_counter() - self.started
        self.progress.seconds += seconds
        logs["images_per_second"] = self.images / seconds
        self.progress.speeds.append(logs["images_per_second"])
        margin = float(self.model.margin)
        logs["margin"] = margin
        logs["learning_rate"] = rate_of_last_step(self.model.optimizer)
        figures = self.evaluate(self.model.embedder, margin)
        self._check_finite(figures)  # the last step's weights, whose loss nobody has computed
        logs.update({f"val_{name}": value for name, value in figures.items()})
        self.progress.distances.append(figures[DISTANCE])

    def _check_finite(self, metrics: dict[str, float]) -> None:
        if not all(math.isfinite(value) for value in metrics.values()):
            raise FloatingPointError(
                "training left the finite numbers; give a lower optimizer.learning_rate"
            )


class BestWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the weights of the best epoch, and stops after `patience` epochs without a better."""

    def __init__(self, progress: Progress, *, patience: int) -> None:
        super().__init__()
        self.progress, self.patience = progress, patience

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the weights if their validation AUC is the highest so far."""
        progress = self.progress
        progress.epoch = epoch + 1
        if logs[WATCHED] > progress.best_score:
            progress.best_score, progress.best_epoch = float(logs[WATCHED]), epoch + 1
            progress.best_weights = self.model.embedder.get_weights()
        self.model.stop_training = progress.stopped(self.patience)


class ReportCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports each batch and each epoch; it stands where the metrics are complete."""

    def __init__(self, report: Report, progress: Progress, *, steps_done: int) -> None:
        super().__init__()
        self.report, self.progress, self.steps_done = report, progress, steps_done

    def on_train_begin(self, logs: Any = None) -> None:
        """Count the steps that were done before the fit was interrupted."""
        for _ in range(self.steps_done):
            self.report.step()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Report a batch."""
        self.report.step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Report an epoch and its metrics: Keras' `val_loss` is `val/loss`, `loss` `train/loss`."""
        metrics = {
            f"val/{name.removeprefix('val_')}"
            if name.startswith("val_")
            else f"train/{name}": float(value)
            for name, value in logs.items()
        }
        self.progress.metrics.append(metrics)
        self.report.epoch(epoch + 1, metrics)


class CollapseGuard(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends a collapsed run; it stands behind the report, so that the last epoch is reported."""

    def __init__(self, guard: Guard, progress: Progress) -> None:
        super().__init__()
        self.guard, self.progress = guard, progress

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Raise Collapsed, with what usually helps, where the guard finds a collapse."""
        if wrong := self.guard(self.progress.distances):
            raise Collapsed(
                epoch + 1, f"training collapsed in epoch {epoch + 1}: {wrong}; {ADVICE}"
            )


class CheckpointCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves each finished epoch; it stands last: an epoch that was not reported is done again."""

    def __init__(self, path: Path, progress: Progress) -> None:
        super().__init__()
        self.path, self.progress = path, progress

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save the weights, the optimizer's state and the progress."""
        save(self.path, self.model, self.progress)
