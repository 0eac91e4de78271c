"""The fit: batches in, the embedder of the best epoch out."""

from pathlib import Path
from typing import Annotated

import keras
from pydantic import Field

from tripletlab.training.backend import jit_compile
from tripletlab.training.batches import Batches
from tripletlab.training.callbacks import (
    BestWeights,
    CheckpointCallback,
    CollapseGuard,
    Evaluate,
    Guard,
    MarginSchedule,
    Report,
    ReportCallback,
    ScheduleCallback,
    SwapAverages,
    ValidationCallback,
)
from tripletlab.training.checkpoint import Progress, load
from tripletlab.training.model import TripletModel


def fit(
    model: TripletModel,
    batches: Batches,
    *,
    optimizer: keras.Optimizer,
    margin: MarginSchedule,
    guard: Guard,
    evaluate: Evaluate,
    report: Report,
    checkpoint: Path | None,
    epochs: Annotated[int, Field(ge=1)],
    patience: Annotated[int, Field(ge=0)],
) -> Progress:
    """Train for at most `epochs`, and leave the best epoch's weights in the embedder.

    With an optimizer of `use_ema`, its moving averages of the weights are evaluated and kept. The
    best epoch has the highest `auc` of `evaluate`; training stops after `patience`
    epochs without a better one. Every epoch is saved to `checkpoint`; a fit that finds that file
    continues from it, and ends as if it had never been interrupted. The caller deletes the file.
    FloatingPointError when a metric is not finite; guard.Collapsed, which is one, when the guard
    finds a collapse in the `mean_distance` of `evaluate`.
    """
    model.compile(optimizer=optimizer, jit_compile=jit_compile())
    optimizer.build(model.trainable_variables)  # in the graph it would be traced, twice
    progress = load(checkpoint, model) if checkpoint and checkpoint.is_file() else Progress()
    report.resumed(progress.metrics)
    callbacks = [
        ScheduleCallback(batches, margin, progress, epochs=epochs),
        SwapAverages(),
        ValidationCallback(evaluate, progress, images=batches.batch_size * len(batches)),
        BestWeights(progress, patience=patience),
        ReportCallback(report, progress, steps_done=progress.epoch * len(batches)),
        CollapseGuard(guard, progress),
        SwapAverages(),
        *([CheckpointCallback(checkpoint, progress)] if checkpoint else []),
    ]
    try:
        if not progress.stopped(patience):
            span = {"initial_epoch": progress.epoch, "epochs": epochs}
            # unshuffled: Python's own generator would do it, which no checkpoint keeps
            model.fit(batches, **span, callbacks=callbacks, shuffle=False, verbose=0)
    finally:
        batches.end()
    model.embedder.set_weights(progress.best_weights)
    return progress
