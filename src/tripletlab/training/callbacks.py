"""What watches a fit from outside: the margin's schedule, validation, and the report."""

import math
import time
from collections.abc import Callable
from typing import Any, Protocol

import keras

Judge = Callable[[keras.Model, float], dict[str, float]]  # embedder, margin -> metrics


class Report(Protocol):
    """What is told of a fit while it runs."""

    def step(self) -> None:
        """A batch was learned from."""

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch ended; the first is 1."""


class MarginSchedule(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the model's margin before each epoch, from the progress of the run."""

    def __init__(self, schedule: Callable[[float], float], *, epochs: int) -> None:
        super().__init__()
        self.schedule, self.epochs = schedule, epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Epoch 0 is progress 0, the last one progress 1."""
        self.model.margin.assign(self.schedule(epoch / max(self.epochs - 1, 1)))


class Validation(keras.callbacks.Callback):  # type: ignore[misc]
    """Adds what the judge says of the embedder to each epoch's metrics.

    It stands before the callbacks that watch those metrics. The images a second are the training
    steps' alone.
    """

    def __init__(self, judge: Judge, *, images: int) -> None:
        super().__init__()
        self.judge, self.images, self.started = judge, images, 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Without a finite distance no triplet is kept, and the loss would look like success: 0."""
        if not all(math.isfinite(value) for value in logs.values()):
            raise FloatingPointError(
                "training left the finite numbers; give a lower learning rate"
                f" (optimizer.learning_rate={float(self.model.optimizer.learning_rate) / 10:g})"
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Judge, and note the margin, the learning rate and the speed."""
        logs["images_per_second"] = self.images / (time.perf_counter() - self.started)
        margin = float(self.model.margin)
        logs["margin"] = margin
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        logs.update(self.judge(self.model.embedder, margin))


class Reporter(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells of each batch and each epoch; it stands last, where the metrics are complete."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell of a batch."""
        self.report.step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell of an epoch."""
        self.report.epoch(epoch + 1, {name: float(value) for name, value in logs.items()})
