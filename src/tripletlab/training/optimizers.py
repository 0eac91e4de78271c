"""Optimisers, with the ranges that Keras does not check."""

from typing import Annotated

import keras
from pydantic import Field

from tripletlab.training.rates import Rate, RateSchedule


def adam(
    *,
    learning_rate: Annotated[float, Field(gt=0, le=1)],
    clip_norm: Annotated[float, Field(gt=0)] | None,
    schedule: RateSchedule,
    steps: int,
) -> keras.Optimizer:
    """Keras' Adam with its other settings as they come, for a fit of so many steps.

    A gradient whose norm over all weights exceeds `clip_norm` is scaled down to it; None leaves
    every gradient as it is.
    """
    rate = Rate(learning_rate, schedule, steps=steps)
    return keras.optimizers.Adam(rate, global_clipnorm=clip_norm)
