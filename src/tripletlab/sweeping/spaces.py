"""Search spaces: axes, and how they are searched."""

import re
from collections.abc import Collection
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from tripletlab.config import noun_of
from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.axes import Choice, Point, Range, Suggester, distinct, written

MONITORED = "val/auc"  # what a pruner compares, epoch by epoch
MAX_RUNS = 10_000  # of a sweep
IDENTITIES = "batches.identities"  # the axis of a curve
FEWEST = 3  # different numbers of identities that a curve needs
RECIPE = "recipe"  # the name of an ablation's point without a change
KEY = r"[\w-]+([./][\w-]+)*"

Seeds = Annotated[
    list[Annotated[int, Field(ge=0, lt=2**32)]],
    Field(min_length=1, max_length=1000),
    AfterValidator(distinct),
]


class Space(BaseModel, extra="forbid", frozen=True):
    """Axes in the file's order; without a sampler, their values span a grid.

    In an `ablation`, the points are the recipe as it is and every value of every axis alone. Every
    point is run once with each of the `seeds`. `sampler` and `pruner` are Optuna's, named by
    `_target_`; the sampler draws `trials` points. `objectives` are metrics that a run logs at its
    end; several have a Pareto front as their result. `columns` are metrics that the table shows in
    addition to the paper's.
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
    ablation: bool = False
    predict: list[Annotated[int, Field(ge=2)]] = []  # numbers of identities, after a fit to them

    @model_validator(mode="after")
    def _fits_together(self) -> "Space":
        earlier: dict[str, Choice | Range] = {}
        for key, axis in self.axes.items():
            if not re.fullmatch(KEY, key):
                raise ValueError(f"axis {key!r}: this cannot be a key of the config")
            for other, wanted in axis.when.items():
                if other not in earlier:
                    raise ValueError(f"axis {key}: there is no axis {other} before it")
                for value in wanted if isinstance(wanted, list) else [wanted]:
                    if not earlier[other].has(value):
                        raise ValueError(f"axis {key}: {other} is never {value}")
            if self.sampler is None and isinstance(axis, Range):
                raise ValueError(f"axis {key} is a range: give a list of values, or a sampler")
            earlier[key] = axis
        if self.ablation and (self.sampler or any(axis.when for axis in earlier.values())):
            raise ValueError("an ablation has no sampler, and no axis has `when`")
        if self.predict and (IDENTITIES not in earlier or self.sampler or self.ablation):
            raise ValueError(f"predict: there is no curve without a grid over {IDENTITIES}")
        if self.predict and len(earlier[IDENTITIES].ends()) < FEWEST:
            raise ValueError(f"predict: a curve needs {FEWEST} or more values of {IDENTITIES}")
        if "seed" in earlier:
            raise ValueError("write `seeds: [1, 2, 3]` beside `axes`; the table shows their mean")
        if (self.sampler is None) != (self.trials is None):
            raise ValueError(
                "give both, or neither, of `sampler` and `trials`, the points it draws"
            )
        if self.pruner and list(self.objectives) != [SCORE]:
            raise ValueError(f"a pruner compares the validation AUC: the objective must be {SCORE}")
        if self.runs > MAX_RUNS:
            raise ValueError(
                f"more than {MAX_RUNS:,} runs: give fewer values, or a sampler and trials"
            )
        return self

    @property
    def several(self) -> bool:
        """Whether there is more than one objective."""
        return len(self.objectives) > 1

    def cells(self) -> list[Point]:
        """Every point of a grid, the last axis fastest, up to `MAX_RUNS` + 1; or of an ablation."""
        if self.ablation:
            return [{}, *self.corners()]
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

    def draw(self, trial: Suggester, *, keys: Collection[str] | None = None) -> Point:
        """The point that the trial chooses; of an ablation, it has the `keys` alone."""
        point: Point = {}
        for key, axis in self.axes.items():
            if axis.applies(point) and not (self.ablation and key not in (keys or ())):
                point[key] = axis.suggest(trial, key)
        return point

    def corners(self) -> list[Point]:
        """Partial points to check a config with: each value of each axis with what it needs.

        A key inside a noun that is an axis too, such as `miner.cutoff`, is there with each choice.
        """
        return [
            {**needed, key: value}
            for key, axis in self.axes.items()
            for needed in self._surroundings(key)
            for value in axis.ends()
        ]

    def _surroundings(self, key: str) -> list[Point]:
        needed, noun = self._needs(key), noun_of(key)
        if self.ablation or noun not in self.axes.keys() - {key, *needed}:
            return [needed]
        return [{**self._needs(noun), **needed, noun: one} for one in self.axes[noun].ends()]

    def _needs(self, key: str) -> Point:
        needed: Point = {}
        for other, wanted in self.axes[key].when.items():
            value = wanted[0] if isinstance(wanted, list) else wanted
            needed |= {**self._needs(other), other: value}
        return needed

    def title(self, point: Point, seed: int | None = None) -> str:
        """A point's name: values alone in a grid, as the paper names its models; else with keys.

        A number that is the only value has its key too. One that was drawn is rounded.
        """
        shown = {
            key: f"{one:.3g}"
            if isinstance(one, float) and isinstance(self.axes[key], Range)
            else written(one)
            for key, one in point.items()
        }
        if self.ablation:
            name = " ".join(f"{key}={one}" for key, one in shown.items()) or RECIPE
        elif self.sampler is not None or len(point) == 1:
            name = ", ".join(
                one if isinstance(point[key], str) else f"{key.rpartition('.')[2]} {one}"
                for key, one in shown.items()
            )
        else:
            name = " ".join(shown.values())
        return name if seed is None else f"{name}, seed {seed}"

    @property
    def points(self) -> int:
        """How many points there will be."""
        return self.trials if self.trials is not None else len(self.cells())

    @property
    def runs(self) -> int:
        """How many runs there will be: each point once for each seed."""
        return self.points * len(self.seeds or [0])
