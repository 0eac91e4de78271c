"""How far a fit has come, on disk: a killed one goes on as if nothing had happened."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.system.files import whole
from tripletlab.system.foreign_files import read_arrays

FORMAT = 1
LARGEST = 1 << 36  # bytes of a checkpoint's arrays, far beyond any network's
Weights = list[NDArray[np.generic]]


@dataclass
class Progress:
    """What a fit knows beside the variables of its model."""

    epoch: int = 0  # finished ones
    best_epoch: int = 0
    best_score: float = float("-inf")
    seconds: float = 0.0  # of training steps alone
    speeds: list[float] = field(default_factory=list)  # images a second, of each epoch
    distances: list[float] = field(default_factory=list)  # see guard.collapse
    metrics: list[dict[str, float]] = field(default_factory=list)  # as reported, of each epoch
    best_weights: Weights = field(default_factory=list)  # the embedder's

    def stopped(self, patience: int) -> bool:
        """No better epoch in the last `patience` ones (a patience of 0 counts as 1)."""
        return self.epoch - self.best_epoch >= max(patience, 1)


def save(path: Path, model: keras.Model, progress: Progress) -> None:
    """Write all of it; a kill, or InputError, leaves the file of the epoch before."""
    arrays = {"progress": np.array(json.dumps({**asdict(progress), "best_weights": None}))}
    arrays["format"] = np.array(FORMAT)
    for part, values in {
        "model": [np.asarray(variable) for variable in _variables(model)],
        "best": progress.best_weights,
    }.items():
        arrays |= {f"{part}/{index:05}": value for index, value in enumerate(values)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"{path}: cannot be written ({reason}); make room: the same command continues"
        ) from error


def load(path: Path, model: keras.Model) -> Progress:
    """Give a compiled model its variables back.

    InputError for a file that cannot be read, has another format, or is of another model.
    """
    try:
        stored = read_arrays(path, largest=LARGEST)
        found = int(stored.get("format", FORMAT))
        kept = Progress(**json.loads(str(stored["progress"]))) if found == FORMAT else Progress()
        parts = {
            part: [stored[name] for name in sorted(stored) if name.startswith(f"{part}/")]
            for part in ("model", "best")
        }
    except (InputError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: not a checkpoint that can be read; delete it") from error
    if found != FORMAT:
        raise InputError(f"{path}: its format is {found} and not {FORMAT}; delete it")
    variables = _variables(model)
    if [tuple(one.shape) for one in variables] != [one.shape for one in parts["model"]]:
        raise InputError(f"{path}: the checkpoint of another network or optimizer; delete it")
    for variable, value in zip(variables, parts["model"], strict=True):
        variable.assign(value)
    return replace(kept, best_weights=parts["best"])


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Weights, the margin, random states, and all that the optimizer keeps."""
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]
