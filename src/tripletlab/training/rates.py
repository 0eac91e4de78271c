"""Learning rates that change while a network learns, as factors of the optimizer's own rate.

The contract: `schedule(progress)` -> factor, both scalar tensors; `progress` is 0 at the first step
and 1 at the last. For the part `warm_up` of all steps the factor rises from 0 in a straight line.
"""

import math
from functools import partial
from typing import Annotated, Any, Protocol

import keras
from keras import KerasTensor, ops
from pydantic import Field

Part = Annotated[float, Field(ge=0, lt=1)]


class RateSchedule(Protocol):
    """See the contract above."""

    def __call__(self, progress: KerasTensor) -> KerasTensor: ...


def constant(progress: KerasTensor, *, warm_up: Part) -> KerasTensor:
    """The optimizer's rate from the end of the warm-up to the last step."""
    return _warmed(ops.ones_like(progress), progress, warm_up)


def cosine(progress: KerasTensor, *, warm_up: Part, end: Part) -> KerasTensor:
    """From the optimizer's rate to `end` of it, along half a cosine (SGDR, 2017)."""
    left = (1 + ops.cos(math.pi * _after(progress, warm_up))) / 2
    return _warmed(end + (1 - end) * left, progress, warm_up)


def step(
    progress: KerasTensor,
    *,
    warm_up: Part,
    stairs: Annotated[int, Field(ge=2, le=100)],
    factor: Annotated[float, Field(gt=0, lt=1)],
) -> KerasTensor:
    """So many stairs of equal length after the warm-up, each `factor` of the one before."""
    stair = ops.minimum(ops.floor(_after(progress, warm_up) * stairs), stairs - 1)
    return _warmed(ops.power(factor, stair), progress, warm_up)


class Rate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A rate times its schedule, over so many steps."""

    def __init__(self, rate: float, schedule: RateSchedule, *, steps: int) -> None:
        self.rate, self.schedule, self.steps = rate, schedule, steps

    def __call__(self, step: Any) -> KerasTensor:
        progress = ops.cast(step, "float32") / max(self.steps - 1, 1)
        return self.rate * self.schedule(ops.minimum(progress, 1.0))


def scheduled(
    optimizer: "partial[keras.Optimizer]", schedule: RateSchedule, *, steps: int
) -> keras.Optimizer:
    """An optimizer of Keras, its learning rate following the schedule over a fit of `steps`.

    `optimizer` has a constant `learning_rate` bound, which the factors of the schedule multiply.
    """
    return optimizer(learning_rate=Rate(optimizer.keywords["learning_rate"], schedule, steps=steps))


def rate_of_last_step(optimizer: keras.Optimizer) -> float:
    """The learning rate of the last step that an optimizer took, at least one.

    Its `learning_rate` is that of the step to come, which may be of the next stair.
    """
    rate = optimizer._learning_rate  # the schedule itself, which no public attribute gives
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return float(rate(optimizer.iterations - 1))
    return float(optimizer.learning_rate)


def _after(progress: KerasTensor, warm_up: float) -> KerasTensor:
    """Progress from the end of the warm-up on."""
    return ops.maximum(progress - warm_up, 0.0) / (1 - warm_up)


def _warmed(factor: KerasTensor, progress: KerasTensor, warm_up: float) -> KerasTensor:
    return factor * ops.minimum(progress / warm_up, 1.0) if warm_up else factor
