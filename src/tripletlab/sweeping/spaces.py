"""Search spaces: one file each in sweeps/, with its axes and how they are searched."""

import math
import re
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, BaseModel, Field, model_validator

Value = bool | int | float | str | None
Point = dict[str, Value]  # a value for each axis that applies
SCORE = "best_validation_auc"
MAX_RUNS = 10_000  # runs of a sweep
KEY = r"[\w-]+([./][\w-]+)*"


def _plain(value: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    if isinstance(value, str) and "${" in value:
        raise ValueError(f"{value}: write the value out")
    return value


def _distinct(values: list[Any]) -> list[Any]:
    known = set()
    for value in values:
        if (type(value), value) in known:
            raise ValueError(f"{value} stands there twice")
        known.add((type(value), value))
    return values


Values = Annotated[
    list[Annotated[Value, AfterValidator(_plain)]],
    Field(min_length=1, max_length=1000),
    AfterValidator(_distinct),
]
Seeds = Annotated[
    list[Annotated[int, Field(ge=0, lt=2**32)]],
    Field(min_length=1, max_length=1000),
    AfterValidator(_distinct),
]
Number = Annotated[int | float, Field(ge=-(2**53), le=2**53)]  # so that neighbours differ


class Suggests(Protocol):
    """What chooses values: an Optuna trial."""

    def suggest_categorical(self, name: str, choices: Sequence[Value]) -> Value: ...
    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int: ...
    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float: ...


class Axis(BaseModel, extra="forbid", frozen=True):
    """A config key that varies; `when` names the values of earlier axes that it belongs to."""

    when: dict[str, Value | Values] = {}

    def applies(self, point: Point) -> bool:
        """The earlier axes have values at which this one matters."""
        return all(
            key in point and point[key] in (wanted if isinstance(wanted, list) else [wanted])
            for key, wanted in self.when.items()
        )


class Choice(Axis, frozen=True):
    """One of a list of values."""

    values: Values

    def suggest(self, trial: Suggests, key: str) -> Value:
        """The trial's value."""
        return trial.suggest_categorical(key, self.values)

    def has(self, value: Value) -> bool:
        """The value can be chosen."""
        return value in self.values

    def ends(self) -> list[Value]:
        """Values that stand for all when a config is checked."""
        return self.values


class Range(Axis, frozen=True):
    """A number from `low` to `high`, both included; whole where both are."""

    low: Number
    high: Number
    log: bool = False
    step: Number | None = None

    @model_validator(mode="after")
    def _can_be_drawn(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"low is {self.low} and high {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0, and no step")
        span = (self.high - self.low) * (1 + 1e-9)  # 0.3 - 0.1 is a little less than 0.2
        if self.step is not None and not 0 < self.step <= span <= 1e6 * self.step:
            raise ValueError(f"step is {self.step}; from low to high it takes 1 to 1,000,000 steps")
        return self

    def suggest(self, trial: Suggests, key: str) -> Value:
        """The trial's value."""
        if all(isinstance(one, int) for one in (self.low, self.high, self.step or 1)):
            step = int(self.step or 1)
            return trial.suggest_int(key, int(self.low), int(self.high), step=step, log=self.log)
        return trial.suggest_float(key, self.low, self.high, step=self.step, log=self.log)

    def has(self, value: Value) -> bool:
        """The value lies between the ends."""
        return isinstance(value, int | float) and self.low <= value <= self.high

    def ends(self) -> list[Value]:
        """Values that stand for all when a config is checked."""
        return [self.low, self.high]


class Space(BaseModel, extra="forbid", frozen=True):
    """Axes in the file's order; without a sampler they are lists that span a grid.

    `seeds` run every point once each. `sampler` and `pruner` are Optuna's objects, named by
    `_target_`; `trials` is how many points the sampler draws. `objectives` are metrics that a run
    logs at its end; with several, the answer is a Pareto front. `columns` are metrics that the
    table shows beyond the paper's.
    """

    name: str
    axes: dict[str, Choice | Range]
    seeds: Seeds | None = None
    trials: Annotated[int, Field(ge=1)] | None = None
    sampler: dict[str, Any] | None = None
    pruner: dict[str, Any] | None = None
    objectives: Annotated[dict[str, Literal["maximize", "minimize"]], Field(min_length=1)] = {
        SCORE: "maximize"
    }
    columns: list[str] = []

    @model_validator(mode="after")
    def _fits_together(self) -> "Space":
        earlier: dict[str, Choice | Range] = {}
        for key, axis in self.axes.items():
            if not re.fullmatch(KEY, key):
                raise ValueError(f"axis {key!r}: no key of a config is called that")
            for other, wanted in axis.when.items():
                if other not in earlier:
                    raise ValueError(f"axis {key}: no axis above it is called {other}")
                for value in wanted if isinstance(wanted, list) else [wanted]:
                    if not earlier[other].has(value):
                        raise ValueError(f"axis {key}: {other} is never {value}")
            if self.sampler is None and isinstance(axis, Range):
                raise ValueError(f"axis {key} is a range: give a list of values, or a sampler")
            earlier[key] = axis
        if "seed" in earlier:
            raise ValueError("write `seeds: [1, 2, 3]` beside axes, so that the table averages")
        if (self.sampler is None) != (self.trials is None):
            raise ValueError("a sampler and `trials`, how many points it draws, go together")
        if self.pruner and list(self.objectives) != [SCORE]:
            raise ValueError(f"a pruner looks at the validation AUC alone: objectives: {{{SCORE}}}")
        if self.runs > MAX_RUNS:
            raise ValueError(
                f"more than {MAX_RUNS:,} runs: give fewer values, or a sampler and trials"
            )
        return self

    @property
    def several(self) -> bool:
        """More than one objective."""
        return len(self.objectives) > 1

    def cells(self) -> list[Point]:
        """Every point of a grid, the last axis fastest; no more than one above `MAX_RUNS`."""
        cells: list[Point] = [{}]
        for key, axis in self.axes.items():
            longer = (
                {**cell, **more}
                for cell in cells
                for more in (
                    [{key: value} for value in axis.ends()] if axis.applies(cell) else [{}]
                )
            )
            cells = list(islice(longer, MAX_RUNS + 1))
        return cells

    def draw(self, trial: Suggests) -> Point:
        """A point as the trial chooses it."""
        point: Point = {}
        for key, axis in self.axes.items():
            if axis.applies(point):
                point[key] = axis.suggest(trial, key)
        return point

    def corners(self) -> list[Point]:
        """Points in which each value of each axis occurs, with what it depends on, and no more."""
        return [
            {**self._needs(key), key: value}
            for key, axis in self.axes.items()
            for value in axis.ends()
        ]

    def _needs(self, key: str) -> Point:
        needed: Point = {}
        for other, wanted in self.axes[key].when.items():
            value = wanted[0] if isinstance(wanted, list) else wanted
            needed |= {**self._needs(other), other: value}
        return needed

    def title(self, point: Point) -> str:
        """A point's name: words alone, as the paper names its models; numbers too in a grid."""
        shown = {key: f"{one:.3g}" if isinstance(one, float) else one for key, one in point.items()}
        if self.sampler is None:
            return " ".join(map(str, shown.values()))
        return ", ".join(
            str(one) if isinstance(point[key], str) else f"{key.rpartition('.')[2]} {one}"
            for key, one in shown.items()
        )

    @property
    def points(self) -> int:
        """How many points there will be."""
        return self.trials if self.trials is not None else len(self.cells())

    @property
    def runs(self) -> int:
        """How many runs there will be: each point once for each seed."""
        return self.points * len(self.seeds or [0])
