"""Which model of a sweep is the best, with intervals corrected for the choice among all models."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.bootstrap import FEWEST, Identities, resampled, weighted_auc
from tripletlab.evaluation.protocol import Distances, Flags, auc

CONFIDENCE = 0.95
CHANCE = 0.5


class Interval(NamedTuple):
    """A value, and the ends of its interval."""

    value: float
    low: float
    high: float


class ModelAucs(NamedTuple):
    """A model's validation AUC with each of its seeds, also in resamples of the people."""

    of_seeds: NDArray[np.float64]  # (seeds,)
    drawn: NDArray[np.float64]  # (seeds, resamples), the same resamples for all models


class Ranking(NamedTuple):
    """The model with the highest mean validation AUC, compared with all others.

    `contenders` are the others that are not shown to be worse: in 95 of 100 sweeps, they or the
    best include the truly best model. `equals` are those with exactly the same AUC.
    """

    best: int
    auc: Interval  # of the best, corrected for the choice among all
    leads: dict[int, Interval]  # of the best over each other model, corrected likewise
    equals: list[int]
    contenders: list[int]

    @property
    def above_chance(self) -> bool:
        """Whether the best model is shown to be better than chance."""
        return self.auc.low > CHANCE

    @property
    def wins(self) -> bool:
        """Whether the best model is shown to be better than chance and than each other model."""
        return self.above_chance and not self.contenders


def resample_aucs(
    models: Sequence[Sequence[Distances]],
    matched: Flags,
    identities: Identities,
    *,
    resamples: int,
    seed: int,
) -> list[ModelAucs]:
    """The AUCs of models by the validation distances (pairs,) of each of their seeds.

    `matched` (pairs,), `identities` (pairs, 2). A paired bootstrap over identities.
    """
    statistics = [weighted_auc(one, matched) for seeds in models for one in seeds]
    drawn = resampled(statistics, matched, identities, resamples=resamples, seed=seed)
    parts = np.split(drawn, np.cumsum([len(seeds) for seeds in models])[:-1])
    return [
        ModelAucs(np.array([auc(one, matched) for one in seeds]), part)
        for seeds, part in zip(models, parts, strict=True)
    ]


def rank(models: Sequence[ModelAucs], *, people: int) -> Ranking:
    """Compare models of which any may be the best; `people` is the number of those in the pairs.

    Two sources of variance are counted: which people are in the validation pairs (the bootstrap)
    and which seed a model was trained with (the variance of its seeds' AUCs; a model with one seed
    has the variance of the others, and if all have one, it is unknown and left out). Intervals are
    those of `estimate`, with Bonferroni's correction: leads for the number of other models, each of
    which may be the truly best (Edwards and Hsu, Journal of the American Statistical Association
    78, 1983), the best model's AUC for the number of all. Where all models are equally good, one is
    said to win in at most 5 % of sweeps.
    """
    over_seeds = _variances_over_seeds(models)
    drawn = [one.drawn.mean(axis=0) for one in models]
    means = [float(one.of_seeds.mean()) for one in models]
    best = int(np.argmax(means))

    def interval(
        value: float, draws: NDArray[np.float64], among: list[int], tests: int
    ) -> Interval:
        parts = [variance_over_people(draws, people=people), *(over_seeds[one] for one in among)]
        return estimate(value, parts, tests=tests)[0]

    leads = {
        other: interval(
            means[best] - means[other],
            drawn[best] - drawn[other],
            [best, other],
            len(models) - 1,
        )
        for other in range(len(models))
        if other != best
    }
    own = interval(means[best], drawn[best], [best], len(models))
    return Ranking(
        best,
        own._replace(low=max(own.low, 0.0), high=min(own.high, 1.0)),
        leads,
        equals=[other for other, lead in leads.items() if lead.value == 0],
        contenders=[other for other, lead in leads.items() if lead.low <= 0],
    )


def variance_over_people(drawn: NDArray[np.float64], *, people: int) -> tuple[float, int]:
    """The variance of a figure over its resamples (resamples,), and its degrees of freedom.

    It is infinite below FEWEST people: Student's intervals of so few are too narrow, and of two
    people, only the resample that has both has mismatched pairs.
    """
    return (float(drawn.var(ddof=1)) if people >= FEWEST else math.inf), people - 1


def variance_over_seeds(values: NDArray[np.float64]) -> tuple[float, int]:
    """The variance of the mean of values (seeds,), and its degrees of freedom; 0, 0 for one."""
    count = len(values)
    return (float(values.var(ddof=1)) / count if count > 1 else 0.0), count - 1


def _variances_over_seeds(models: Sequence[ModelAucs]) -> list[tuple[float, int]]:
    """As `variance_over_seeds`; for a model with one seed, by the variance of all the others."""
    freedom = sum(len(one.of_seeds) - 1 for one in models)
    if freedom == 0:
        return [(0.0, 0)] * len(models)
    squares = sum(float(np.square(one.of_seeds - one.of_seeds.mean()).sum()) for one in models)
    return [
        variance_over_seeds(one.of_seeds) if len(one.of_seeds) > 1 else (squares / freedom, freedom)
        for one in models
    ]


def estimate(
    value: float, parts: Sequence[tuple[float, int]], *, tests: int = 1
) -> tuple[Interval, float]:
    """The interval of `value`, and the two-sided p of 0, which is not corrected.

    Its variance is the sum of `parts`, each with its degrees of freedom. The interval is
    Banerjee's (Sankhyā 23, 1961), which is never too narrow, with Bonferroni's correction for the
    number of `tests`. Welch's is narrower, but with two seeds it finds too many differences that
    are not there. Without any variance p is 1 for 0, else 0.
    """
    from scipy.optimize import brentq
    from scipy.stats import t

    known = [(variance, freedom) for variance, freedom in parts if variance > 0 and freedom > 0]
    if not known:
        return Interval(value, value, value), float(value == 0)
    if any(math.isinf(variance) for variance, _ in known):
        return Interval(value, -1.0, 1.0), 1.0
    variances, freedoms = np.array(known).T

    def reach(log_p: float) -> float:
        """How far the interval reaches that leaves out a part p of all cases."""
        return float(np.sqrt(np.sum(t.isf(np.exp(log_p) / 2, freedoms) ** 2 * variances)))

    wide = reach(np.log((1 - CONFIDENCE) / tests))
    surprise = -300.0  # the logarithm of the smallest p that differs from 0
    if abs(value) >= reach(surprise):
        p = 0.0
    else:
        p = float(np.exp(brentq(lambda log_p: reach(log_p) - abs(value), surprise, 0.0)))
    return Interval(value, value - wide, value + wide), p
