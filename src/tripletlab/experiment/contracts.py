"""The parts of a step, tried out: code of one's own may not do what its contract says."""

import inspect
from typing import Any

import numpy as np
from keras import ops

from tripletlab.config import RunConfig
from tripletlab.errors import InputError
from tripletlab.triplets.triplets import Every, Mined

NUMBER, NUMBERS = "a finite number", "a finite number for each triplet"
MINED = "a Mined or an Every (tripletlab.triplets.miners says how)"


def check_contracts(config: RunConfig) -> None:
    """Call miner, loss, regularizer and schedules once, on four faces of two people.

    InputError, which names the choice, where one takes other arguments or returns something else.
    """
    place = np.arange(4)
    squared = np.abs(place[:, None] - place[None, :]) / 4
    distances = ops.convert_to_tensor(squared.astype(np.float32))  # (4, 4)
    labels = ops.convert_to_tensor((place // 2).astype(np.int32))
    half, margin, row = ops.full_like(distances, 0.5), config.margin, distances[0]
    mined = _called(config, "miner", distances, labels, margin=margin, draws=half)
    _check(config, "miner", mined, isinstance(mined, Mined | Every), MINED)
    losses = _called(config, "loss", row, row, margin=margin)
    _check(config, "loss", losses, _finite(losses, (4,)), NUMBERS)
    for noun, given, more in (
        ("regularizer", (distances, labels), {"dim": 8}),
        ("margin_schedule", (0.0,), {"distance": 1.0}),
        ("rate_schedule", (ops.ones(()),), {}),
    ):
        made = _called(config, noun, *given, **more)
        _check(config, noun, made, _finite(made, ()), NUMBER)


def _called(config: RunConfig, noun: str, *given: Any, **more: Any) -> Any:
    part = getattr(config, noun).build()
    try:
        inspect.signature(part).bind(*given, **more)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{_name(config, noun)} cannot be called as its contract says: {error}"
        ) from error
    return part(*given, **more)


def _check(config: RunConfig, noun: str, made: Any, right: bool, wanted: str) -> None:
    if not right:
        shape = getattr(made, "shape", None)
        found = f"{type(made).__name__}{'' if shape is None else f' of shape {tuple(shape)}'}"
        found = "None" if made is None else found
        raise InputError(f"{_name(config, noun)} returns {found}, and not {wanted}")


def _name(config: RunConfig, noun: str) -> str:
    return f"{noun}={config.choices[noun]}: {getattr(config, noun).settings['_target_']}"


def _finite(made: Any, shape: tuple[int, ...]) -> bool:
    """Whether these are numbers (or tensors) of this shape, all of them finite."""
    try:
        values = np.asarray(made, np.float32)
    except (TypeError, ValueError):
        return False
    return made is not None and values.shape == shape and bool(np.isfinite(values).all())
