"""The fit: batches in, the embedder of the best epoch out."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import keras
from pydantic import Field

from tripletlab.training.backend import jit_compile
from tripletlab.training.batches import PeopleByPhotos
from tripletlab.training.callbacks import Judge, MarginSchedule, Report, Reporter, Validation
from tripletlab.training.model import TripletModel

WATCHED = "validation_auc"


def fit(
    model: TripletModel,
    batches: PeopleByPhotos,
    *,
    optimizer: keras.Optimizer,
    margin: Callable[[float], float],
    judge: Judge,
    report: Report,
    epochs: Annotated[int, Field(ge=1)],
    patience: Annotated[int, Field(ge=0)],
) -> int:
    """Train for at most `epochs`, leave the best epoch's weights in the model, return that epoch.

    Best by the judge's `validation_auc`; training stops after `patience` epochs without a better
    one. The weights of the best epoch wait on disk, in a folder that goes when the fit ends.
    FloatingPointError when the numbers leave the finite.
    """
    model.compile(optimizer=optimizer, jit_compile=jit_compile())
    with TemporaryDirectory(prefix="tripletlab-") as folder:
        best = Path(folder) / "best.weights.h5"
        watch = {"monitor": WATCHED, "mode": "max"}
        stopping = keras.callbacks.EarlyStopping(patience=patience, **watch)
        callbacks = [
            MarginSchedule(margin, epochs=epochs),
            Validation(judge, images=batches.batch_size * len(batches)),
            stopping,
            keras.callbacks.ModelCheckpoint(
                best, save_best_only=True, save_weights_only=True, **watch
            ),
            Reporter(report),
        ]
        model.fit(batches, epochs=epochs, callbacks=callbacks, verbose=0)
        model.load_weights(best)
    return int(stopping.best_epoch) + 1
