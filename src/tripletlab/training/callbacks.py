"""What watches a fit from outside: schedules, validation, the guard, checkpoints, the report."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras

from tripletlab.training.batches import Batches
from tripletlab.training.checkpoint import Progress, save
from tripletlab.training.guard import ADVICE, Collapsed

Judge = Callable[[keras.Model, float], dict[str, float]]  # embedder, margin -> metrics
Guard = Callable[[Sequence[float]], str | None]  # see tripletlab.training.guard.collapse
WATCHED, DISTANCE = "validation_auc", "mean_distance"


class Margin(Protocol):
    """See tripletlab.triplets.margins for the contract."""

    def __call__(self, progress: float, *, distance: float) -> float: ...


class Report(Protocol):
    """What is told of a fit while it runs."""

    def step(self) -> None:
        """A batch was learned from."""

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch ended; the first is 1."""


class Driver(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells the batches where the fit is, and sets the margin of each epoch."""

    def __init__(
        self, batches: Batches, margin: Margin, progress: Progress, *, epochs: int
    ) -> None:
        super().__init__()
        self.batches, self.margin, self.progress, self.epochs = batches, margin, progress, epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """The first epoch is progress 0, the last one progress 1."""
        progress = epoch / max(self.epochs - 1, 1)
        self.model.set_margin(self.margin(progress, distance=self.progress.distances[-1]))
        self.batches.begin(epoch + 1, self.model)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """The weights have moved."""
        self.batches.learned(batch + 1)


class Validation(keras.callbacks.Callback):  # type: ignore[misc]
    """Adds what the judge says of the embedder to each epoch's metrics.

    It stands before the callbacks that watch those metrics. The seconds and the images a second are
    the training steps' alone.
    """

    def __init__(self, judge: Judge, progress: Progress, *, images: int) -> None:
        super().__init__()
        self.judge, self.progress, self.images, self.started = judge, progress, images, 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Note how far apart the untrained network leaves the faces."""
        if not self.progress.distances:
            judged = self.judge(self.model.embedder, float(self.model.margin))
            self.progress.distances.append(judged[DISTANCE])

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
        seconds = time.perf_counter() - self.started
        self.progress.seconds += seconds
        logs["images_per_second"] = self.images / seconds
        self.progress.speeds.append(logs["images_per_second"])
        margin = float(self.model.margin)
        logs["margin"] = margin
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        logs.update(self.judge(self.model.embedder, margin))
        self.progress.distances.append(logs[DISTANCE])


class Best(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the weights of the best epoch, and stops after `patience` epochs without a better."""

    def __init__(self, progress: Progress, *, patience: int) -> None:
        super().__init__()
        self.progress, self.patience = progress, patience

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare."""
        progress = self.progress
        progress.epoch = epoch + 1
        if logs[WATCHED] > progress.best_score:
            progress.best_score, progress.best_epoch = float(logs[WATCHED]), epoch + 1
            progress.best_weights = self.model.embedder.get_weights()
        self.model.stop_training = progress.stopped(self.patience)


class Reporter(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells of each batch and each epoch; it stands where the metrics are complete."""

    def __init__(self, report: Report, *, steps_done: int) -> None:
        super().__init__()
        self.report, self.steps_done = report, steps_done

    def on_train_begin(self, logs: Any = None) -> None:
        """The steps before a fit was interrupted count."""
        for _ in range(self.steps_done):
            self.report.step()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell of a batch."""
        self.report.step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell of an epoch."""
        self.report.epoch(epoch + 1, {name: float(value) for name, value in logs.items()})


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends a collapsed run; it stands behind the report, so that the last epoch is told of."""

    def __init__(self, guard: Guard, progress: Progress) -> None:
        super().__init__()
        self.guard, self.progress = guard, progress

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Ask the guard."""
        if wrong := self.guard(self.progress.distances):
            raise Collapsed(
                epoch + 1, f"training collapsed in epoch {epoch + 1}: {wrong}; {ADVICE}"
            )


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes each finished epoch; last, so that an epoch that was not told of is done again."""

    def __init__(self, path: Path, progress: Progress) -> None:
        super().__init__()
        self.path, self.progress = path, progress

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write."""
        save(self.path, self.model, self.progress)
