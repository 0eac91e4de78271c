"""Which model of a sweep is the best, with intervals corrected for the choice among all models."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.bootstrap import Identities, resampled, weighted_auc
from tripletlab.evaluation.protocol import Distances, Flags, auc

CONFIDENCE = 0.95
CHANCE = 0.5


class Interval(NamedTuple):
    """A value, and the ends of its interval."""

    value: float
    low: float
    high: float


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


def compare_models(
    models: Sequence[Sequence[Distances]],
    matched: Flags,
    identities: Identities,
    *,
    resamples: int,
    seed: int,
) -> Ranking:
    """Compare models by the validation distances (pairs,) of each of their seeds.

    Two sources of variance are counted: which people are in the validation pairs (a paired
    bootstrap over identities) and which seed a model was trained with (the variance of its seeds'
    AUCs; with one seed it is unknown and left out). Intervals are Student's, with Welch's degrees
    of freedom and Bonferroni's correction: leads for the number of other models, each of which may
    be the truly best (Edwards and Hsu, Journal of the American Statistical Association 78, 1983),
    the best model's AUC for the number of all. Where all models are equally good, one is said to
    win in at most 5 % of sweeps.
    """
    aucs = [[auc(distances, matched) for distances in seeds] for seeds in models]
    drawn = _drawn(models, matched, identities, resamples=resamples, seed=seed)
    means = [float(np.mean(of_seeds)) for of_seeds in aucs]
    best = int(np.argmax(means))
    people = len(np.unique(identities))
    leads = {
        other: _interval(
            means[best] - means[other],
            [
                (float((drawn[best] - drawn[other]).var(ddof=1)), people - 1),
                _of_seeds(aucs[best]),
                _of_seeds(aucs[other]),
            ],
            tests=len(models) - 1,
        )
        for other in range(len(models))
        if other != best
    }
    parts = [(float(drawn[best].var(ddof=1)), people - 1), _of_seeds(aucs[best])]
    own = _interval(means[best], parts, tests=len(models))
    return Ranking(
        best,
        own._replace(low=max(own.low, 0.0), high=min(own.high, 1.0)),
        leads,
        equals=[other for other, lead in leads.items() if lead.value == 0],
        contenders=[other for other, lead in leads.items() if lead.low <= 0],
    )


def _drawn(
    models: Sequence[Sequence[Distances]],
    matched: Flags,
    identities: Identities,
    *,
    resamples: int,
    seed: int,
) -> list[NDArray[np.float64]]:
    """For each model (resamples,): the mean AUC of its seeds, in the same resamples for all."""
    statistics = [weighted_auc(one, matched) for seeds in models for one in seeds]
    drawn = resampled(statistics, matched, identities, resamples=resamples, seed=seed)
    ends = np.cumsum([len(seeds) for seeds in models])[:-1]
    return [part.mean(axis=0) for part in np.split(drawn, ends)]


def _of_seeds(aucs: Sequence[float]) -> tuple[float, int]:
    """The variance of the mean over seeds, and its degrees of freedom."""
    count = len(aucs)
    return (float(np.var(aucs, ddof=1)) / count if count > 1 else 0.0), count - 1


def _interval(value: float, parts: Sequence[tuple[float, int]], *, tests: int) -> Interval:
    """The interval of `value`, whose variance is the sum of parts with degrees of freedom."""
    from scipy.stats import t

    known = [(variance, freedom) for variance, freedom in parts if variance > 0 and freedom > 0]
    total = sum(variance for variance, _ in known)
    if total == 0:
        return Interval(value, value, value)
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in known)  # Welch
    reach = float(t.ppf(1 - (1 - CONFIDENCE) / (2 * tests), freedom)) * total**0.5
    return Interval(value, value - reach, value + reach)
