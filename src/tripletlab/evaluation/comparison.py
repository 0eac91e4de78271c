"""Models compared on the same pairs: their differences, and whether these are more than chance."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.bootstrap import (
    PERCENTILES_FROM,
    Identities,
    interval,
    resampled,
    weighted_auc,
    weighted_ratio,
)
from tripletlab.evaluation.protocol import Distances, Flags, Folds, auc, evaluate

RESAMPLES = 2000  # at least; the least possible p is then 0.001


class Decisions(NamedTuple):
    """A model's decisions on the pairs at the thresholds of the protocol; all (pairs,)."""

    distances: Distances
    excess: Distances  # over the threshold of the pair's fold; at or below 0: accepted
    correct: Flags


class Difference(NamedTuple):
    """The first model's figure minus the second's, its 95 % interval, and p of no difference.

    With too few people for an interval `low` and `high` are None, and p is 1.
    """

    value: float
    low: float | None
    high: float | None
    p: float


class Comparison(NamedTuple):
    """Two models, paired; all over the pairs of all folds at once."""

    accuracy: Difference
    auc: Difference
    only_first: int  # pairs on which the first model alone is correct
    only_second: int
    mcnemar: float  # p; assumes independent pairs, which those of one person are not
    agreement: float  # share of the pairs with the same decision, correct or not


def decide(distances: Distances, matched: Flags, fold: Folds) -> Decisions:
    """Decide every pair as `evaluate` does; the same shapes and errors."""
    excess = distances - evaluate(distances, matched, fold).threshold[fold]
    return Decisions(distances, excess, (excess <= 0) == matched)


def resamples_for(models: int) -> int:
    """So many resamples that differences between the models can be shown.

    The least possible p is 2 / (resamples + 1): after `holm`, over all pairs of the models, it is
    0.025 at most.
    """
    return max(RESAMPLES, 80 * math.comb(models, 2))


def compare(
    models: Sequence[Decisions],
    matched: Flags,
    identities: Identities,
    *,
    resamples: int,
    seed: int,
) -> dict[tuple[int, int], Comparison]:
    """Compare every two models, keyed by their positions in `models`.

    `matched` (pairs,), `identities` (pairs, 2); the same draws of identities serve all models.
    Values, intervals and p are over all pairs at once; p is twice the share of resamples on the
    other side of 0, or Student's where the interval is.
    """
    everything = np.ones(len(matched))
    statistics = [
        *(weighted_ratio(model.correct, everything) for model in models),
        *(weighted_auc(model.distances, matched) for model in models),
    ]
    drawn = resampled(statistics, matched, identities, resamples=resamples, seed=seed)
    accuracies, aucs = np.split(drawn, 2)
    plain = [auc(model.distances, matched) for model in models]
    people = len(np.unique(identities))
    comparisons = {}
    for one, other in combinations(range(len(models)), 2):
        first, second = models[one].correct, models[other].correct
        only_first = int(np.count_nonzero(first & ~second))
        only_second = int(np.count_nonzero(second & ~first))
        lead = (only_first - only_second) / len(matched)
        comparisons[one, other] = Comparison(
            _difference(lead, accuracies[one] - accuracies[other], people),
            _difference(plain[one] - plain[other], aucs[one] - aucs[other], people),
            only_first,
            only_second,
            mcnemar(only_first, only_second),
            float(np.mean(first == second)),
        )
    return comparisons


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of McNemar's test from the discordant pairs; 1 where there are none."""
    from scipy.stats import binomtest

    if only_first + only_second == 0:
        return 1.0
    return float(binomtest(only_first, only_first + only_second, 0.5).pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """Adjust the p of several tests (Holm, Scandinavian Journal of Statistics 6, 1979).

    Where every adjusted p is compared with 0.05, the chance that any falls below it by accident
    is 5 % at most. At most 1; an empty list for none.
    """
    values = np.asarray(ps, np.float64)
    order = np.argsort(values)
    times = len(values) - np.arange(len(values))
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(times * values[order]), 1)
    return adjusted.tolist()


def _difference(value: float, drawn: NDArray[np.float64], people: int) -> Difference:
    """The difference with its interval and p, from its value in each resample (resamples,)."""
    ends = interval(value, drawn, people=people)
    if ends is None:
        return Difference(value, None, None, 1.0)
    p = _share_beyond_zero(drawn) if people >= PERCENTILES_FROM else _student(value, drawn, people)
    return Difference(value, *ends, p)


def _share_beyond_zero(drawn: NDArray[np.float64]) -> float:
    """Twice the share of resamples on the other side of 0, never below 2 / (n + 1)."""
    opposite = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    return min(1.0, 2 * (opposite + 1) / (len(drawn) + 1))


def _student(value: float, drawn: NDArray[np.float64], people: int) -> float:
    """Student's two-sided p with the standard error of the resamples; 1 for no difference."""
    from scipy.stats import t

    error = float(drawn.std(ddof=1))
    return 2 * float(t.sf(abs(value) / error, people - 1)) if value and error else float(not value)
