"""Axes of a search space: a config key each, with the values that it takes."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, Field, model_validator

Value = bool | int | float | str | None
Point = dict[str, Value]  # a value for each axis that applies


def _plain(value: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    if isinstance(value, str) and "${" in value:
        raise ValueError(f"{value}: give the value itself")
    return value


def written(value: Value) -> str:
    """A value of a list as text, to all its digits: 0.9995 is not 1."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def distinct(values: list[Any]) -> list[Any]:
    """The values; ValueError where one is there twice."""
    known = set()
    for value in values:
        if (type(value), value) in known:
            raise ValueError(f"{value} is listed twice")
        known.add((type(value), value))
    return values


Values = Annotated[
    list[Annotated[Value, AfterValidator(_plain)]],
    Field(min_length=1, max_length=1000),
    AfterValidator(distinct),
]
Number = Annotated[int | float, Field(ge=-(2**53), le=2**53)]  # whole numbers that a float can hold


class Suggester(Protocol):
    """Chooses values: an Optuna trial."""

    def suggest_categorical(self, name: str, choices: Sequence[Value]) -> Value: ...
    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int: ...
    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float: ...


class Axis(BaseModel, extra="forbid", frozen=True):
    """A config key that varies; `when` restricts it to some values of earlier axes."""

    when: dict[str, Value | Values] = {}

    def applies(self, point: Point) -> bool:
        """Whether the point's values of the earlier axes are those of `when`."""
        return all(
            key in point and point[key] in (wanted if isinstance(wanted, list) else [wanted])
            for key, wanted in self.when.items()
        )


class Choice(Axis, frozen=True):
    """One of a list of values."""

    values: Values

    def suggest(self, trial: Suggester, key: str) -> Value:
        """The trial's value."""
        return trial.suggest_categorical(key, self.values)

    def has(self, value: Value) -> bool:
        """Whether the value can be chosen."""
        return value in self.values

    def ends(self) -> list[Value]:
        """The values to check a config with."""
        return self.values


class Range(Axis, frozen=True):
    """A number from `low` to `high`, both included; an integer where both are."""

    low: Number
    high: Number
    log: bool = False
    step: Number | None = None

    @model_validator(mode="after")
    def _can_be_drawn(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"low, {self.low}, is above high, {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs a low above 0 and no step")
        span = (self.high - self.low) * (1 + 1e-9)  # 0.3 - 0.1 is a little less than 0.2
        if self.step is not None and not 0 < self.step <= span <= 1e6 * self.step:
            raise ValueError(
                f"step is {self.step}; from low to high there must be 1 to 1,000,000 steps"
            )
        return self

    def suggest(self, trial: Suggester, key: str) -> Value:
        """The trial's value."""
        if self._whole:
            step = int(self.step or 1)
            return trial.suggest_int(key, int(self.low), int(self.high), step=step, log=self.log)
        return trial.suggest_float(key, self.low, self.high, step=self.step, log=self.log)

    def has(self, value: Value) -> bool:
        """Whether the value lies between the ends."""
        return isinstance(value, int | float) and self.low <= value <= self.high

    def ends(self) -> list[Value]:
        """The values to check a config with: both ends, and one between them.

        Where the ends of a range of fractions are whole, its other values are not.
        """
        if self.step is not None:
            between = min(self.low + self.step, self.high)
        elif self._whole:
            between = (self.low + self.high) // 2
        else:
            between = self.low + (self.high - self.low) / math.pi
        return [self.low, between, self.high]

    @property
    def _whole(self) -> bool:
        """Whether whole numbers alone are drawn."""
        return all(isinstance(one, int) for one in (self.low, self.high, self.step or 1))
