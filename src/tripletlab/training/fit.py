"""The fit: batches in, the embedder of the best epoch out."""

from pathlib import Path
from typing import Annotated

import keras
from pydantic import Field

from tripletlab.training.backend import jit_compile
from tripletlab.training.batches import Batches
from tripletlab.training.callbacks import (
    Best,
    Checkpoint,
    Driver,
    Guard,
    Judge,
    Margin,
    Report,
    Reporter,
    Validation,
    Watch,
)
from tripletlab.training.checkpoint import Progress, load
from tripletlab.training.model import TripletModel


def fit(
    model: TripletModel,
    batches: Batches,
    *,
    optimizer: keras.Optimizer,
    margin: Margin,
    guard: Guard,
    judge: Judge,
    report: Report,
    checkpoint: Path | None,
    epochs: Annotated[int, Field(ge=1)],
    patience: Annotated[int, Field(ge=0)],
) -> Progress:
    """Train for at most `epochs`, and leave the best epoch's weights in the embedder.

    Best by the judge's `validation_auc`; training stops after `patience` epochs without a better
    one. Every epoch is written to `checkpoint`; where that file is there already the fit goes on
    from it, and ends as if it had never been interrupted. The caller deletes it.
    FloatingPointError when the numbers leave the finite; guard.Collapsed, which is one, when the
    judge's `mean_distance` makes the guard speak.
    """
    model.compile(optimizer=optimizer, jit_compile=jit_compile())
    there = checkpoint is not None and checkpoint.is_file()
    progress = load(checkpoint, model) if checkpoint and there else Progress()
    callbacks = [
        Driver(batches, margin, progress, epochs=epochs),
        Validation(judge, progress, images=batches.batch_size * len(batches)),
        Best(progress, patience=patience),
        Reporter(report, steps_done=progress.epoch * len(batches)),
        Watch(guard, progress),
    ]
    if checkpoint:
        callbacks.append(Checkpoint(checkpoint, progress))
    if not progress.stopped(patience):
        try:
            model.fit(
                batches,
                epochs=epochs,
                initial_epoch=progress.epoch,
                callbacks=callbacks,
                shuffle=False,  # by Python's own generator, which no checkpoint keeps
                verbose=0,
            )
        finally:
            batches.end()
    model.embedder.set_weights(progress.best_weights)
    return progress
