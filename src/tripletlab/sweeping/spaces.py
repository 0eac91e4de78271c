"""Search spaces: one file each in sweeps/, with its axes and how they are searched."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import yaml
from omegaconf import OmegaConf
from pydantic import BaseModel, Field, ValidationError, model_validator

from tripletlab.errors import InputError

Value = bool | int | float | str | None
Point = dict[str, Value]  # a value for each axis that applies
SCORE = "best_validation_auc"


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

    when: dict[str, Any] = {}

    def applies(self, point: Point) -> bool:
        """The earlier axes have values at which this one matters."""
        return all(
            key in point and point[key] in (wanted if isinstance(wanted, list) else [wanted])
            for key, wanted in self.when.items()
        )


class Choice(Axis, frozen=True):
    """One of a list of values."""

    values: Annotated[list[Value], Field(min_length=1)]

    def suggest(self, trial: Suggests, key: str) -> Value:
        """The trial's value."""
        return trial.suggest_categorical(key, self.values)

    def ends(self) -> list[Value]:
        """Values that stand for all when a config is checked."""
        return self.values


class Range(Axis, frozen=True):
    """A number from `low` to `high`, both included; whole where both are."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None

    @model_validator(mode="after")
    def _can_be_drawn(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"low is {self.low} and high {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0, and no step")
        return self

    def suggest(self, trial: Suggests, key: str) -> Value:
        """The trial's value."""
        if all(isinstance(one, int) for one in (self.low, self.high, self.step or 1)):
            step = int(self.step or 1)
            return trial.suggest_int(key, int(self.low), int(self.high), step=step, log=self.log)
        return trial.suggest_float(key, self.low, self.high, step=self.step, log=self.log)

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
    seeds: Annotated[list[int], Field(min_length=1)] | None = None
    trials: Annotated[int, Field(ge=1)] | None = None
    sampler: dict[str, Any] | None = None
    pruner: dict[str, Any] | None = None
    objectives: dict[str, Literal["maximize", "minimize"]] = {SCORE: "maximize"}
    columns: list[str] = []

    @model_validator(mode="after")
    def _fits_together(self) -> "Space":
        earlier: set[str] = set()
        for key, axis in self.axes.items():
            if missing := set(axis.when) - earlier:
                raise ValueError(f"axis {key}: no axis above it is called {missing.pop()}")
            if self.sampler is None and isinstance(axis, Range):
                raise ValueError(f"axis {key} is a range: give a list of values, or a sampler")
            earlier.add(key)
        if "seed" in earlier:
            raise ValueError("write `seeds: [1, 2, 3]` beside axes, so that the table averages")
        if (self.sampler is None) != (self.trials is None):
            raise ValueError("a sampler and `trials`, how many points it draws, go together")
        if self.pruner and list(self.objectives) != [SCORE]:
            raise ValueError(f"a pruner looks at the validation AUC alone: objectives: {{{SCORE}}}")
        return self

    @property
    def several(self) -> bool:
        """More than one objective."""
        return len(self.objectives) > 1

    def cells(self) -> list[Point]:
        """Every point of a grid, the last axis fastest."""
        cells: list[Point] = [{}]
        for key, axis in self.axes.items():
            cells = [
                {**cell, **more}
                for cell in cells
                for more in (
                    [{key: value} for value in axis.ends()] if axis.applies(cell) else [{}]
                )
            ]
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


def read_space(path: Path, changes: Mapping[str, Any] = {}) -> Space:
    """Read a space; `changes` replace an axis, or a key beside `axes`, by their dotted names.

    InputError says what is wrong with the file.
    """
    if not path.is_file():
        names = ", ".join(sorted(other.stem for other in path.parent.glob("*.yaml"))) or "none"
        raise InputError(f"{path}: no such space; {path.parent} has {names}")
    try:
        # OmegaConf's YAML, as in conf/: there 1e-4 is a number
        content: Any = OmegaConf.to_container(OmegaConf.create(path.read_text()))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    axes = content.get("axes") if isinstance(content, dict) else None
    if not isinstance(axes, dict) or not axes:
        raise InputError(f"{path}: write `axes:` and under it a list of values for each key")
    for key, value in changes.items():
        _change(content, key, value)
    try:
        axes = {key: _axis(node, f"{path}: axis {key}") for key, node in axes.items()}
        return Space(name=path.stem, **{**content, "axes": axes})
    except ValidationError as error:
        raise InputError(f"{path}: {_reason(error)}") from error


def _change(content: dict[str, Any], key: str, value: Any) -> None:
    first, *rest = key.split(".")
    if first == "axes" or first not in Space.model_fields:
        content["axes"][key.removeprefix("axes.")] = value
        return
    node = content
    for part in (first, *rest)[:-1]:
        node = node.setdefault(part, {})
    node[(first, *rest)[-1]] = value


def _axis(node: Any, where: str) -> Choice | Range:
    try:
        if isinstance(node, list):
            return Choice(values=node)
        if isinstance(node, dict):
            return Choice(**node) if "values" in node else Range(**node)
    except ValidationError as error:
        raise InputError(f"{where}: {_reason(error)}; {_AXIS}") from error
    raise InputError(f"{where}: {_AXIS}")


_AXIS = "it needs a list of values, such as [0.2, 0.4], or {low: 0.1, high: 0.6}"


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    text = first["msg"].removeprefix("Value error, ")
    return f"{place}: {text[0].lower()}{text[1:]}" if place else text
