"""Which value of an axis, or part of a recipe, matters: paired differences, tested together."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from tripletlab.evaluation.comparison import holm
from tripletlab.sweeping.axes import Point, Value, written
from tripletlab.sweeping.significance import (
    Interval,
    ModelAucs,
    estimate,
    variance_over_people,
    variance_over_seeds,
)
from tripletlab.sweeping.spaces import RECIPE, Space

SIGNIFICANT = 0.05  # of p, after the correction

Seeds = Sequence[int | None]  # of a model; None is the config's own


class Contrast(NamedTuple):
    """A question: how much better is `first` than `second`, over `pairs` of models?"""

    axis: str
    first: str
    second: str
    pairs: list[tuple[int, int]]  # positions of models that differ in this alone

    @property
    def name(self) -> str:
        """What is subtracted from what."""
        axis = "" if self.second == RECIPE else f"{self.axis}: "
        return f"{axis}{self.first} − {self.second}"


class Effect(NamedTuple):
    """The answer to a contrast: the difference of the validation AUC, first minus second."""

    contrast: Contrast
    auc: Interval  # 95 %, of this difference alone
    p: float  # of no difference, corrected for the number of all effects (Holm)
    seeds: int  # with which all its models were trained

    @property
    def shown(self) -> bool:
        """Whether the difference is more than noise."""
        return self.p < SIGNIFICANT

    @property
    def better(self) -> str:
        """Which of the two has the higher AUC here."""
        return self.contrast.first if self.auc.value > 0 else self.contrast.second


def contrasts_of(space: Space, points: Sequence[Point]) -> list[Contrast]:
    """What the finished points of a space can answer; nothing where a sampler drew them.

    In an ablation, every change is compared with the recipe. In a grid, every two values of an axis
    are compared over those points that agree in all other axes that both have.
    """
    if space.ablation:
        recipe = [place for place, point in enumerate(points) if not point]
        return [
            Contrast(key, space.title(point), RECIPE, [(place, recipe[0])])
            for place, point in enumerate(points)
            for key in point
            if recipe
        ]
    if space.sampler:
        return []
    return [
        Contrast(key, written(one), written(other), pairs)
        for key, axis in space.axes.items()
        for one, other in combinations(axis.ends(), 2)
        if (pairs := _alike(points, key, one, other))
    ]


def effects(
    contrasts: Sequence[Contrast],
    models: Sequence[ModelAucs],
    seeds: Sequence[Seeds],
    *,
    people: int,
) -> list[Effect]:
    """Answer the contrasts, each by the seeds that all its models have; left out without any.

    Differences are paired over the people of the validation pairs and over the seeds; the variances
    of both are added, as in `rank`. `people` is the number of those in the pairs.
    """
    found: list[tuple[Contrast, Interval, float, int]] = []
    for contrast in contrasts:
        among = {one for pair in contrast.pairs for one in pair}
        common = [one for one in seeds[min(among)] if all(one in seeds[each] for each in among)]
        if not common:
            continue
        kept = {
            model: ModelAucs(*(part[rows] for part in models[model]))
            for model in among
            for rows in [[seeds[model].index(one) for one in common]]
        }
        pairs = [(kept[first], kept[second]) for first, second in contrast.pairs]
        of_seeds = np.mean([one.of_seeds - other.of_seeds for one, other in pairs], axis=0)
        drawn = np.mean([one.drawn - other.drawn for one, other in pairs], axis=(0, 1))
        parts = [variance_over_people(drawn, people=people), variance_over_seeds(of_seeds)]
        found.append((contrast, *estimate(float(of_seeds.mean()), parts), len(common)))
    adjusted = holm([p for _, _, p, _ in found])
    return [
        Effect(contrast, interval, p, count)
        for (contrast, interval, _, count), p in zip(found, adjusted, strict=True)
    ]


def _alike(points: Sequence[Point], key: str, one: Value, other: Value) -> list[tuple[int, int]]:
    """Positions of points with the one and the other value that agree in all else."""

    def agree(a: Point, b: Point) -> bool:
        return all(a[axis] == b[axis] for axis in a.keys() & b.keys() - {key})

    having = [
        [place for place, at in enumerate(points) if key in at and at[key] == value]
        for value in (one, other)
    ]
    return [(a, b) for a in having[0] for b in having[1] if agree(points[a], points[b])]
