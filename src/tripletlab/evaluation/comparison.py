"""Models compared on the same pairs: their differences, and whether these are more than chance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.bootstrap import (
    Identities,
    resampled,
    weighted_auc,
    weighted_ratio,
)
from tripletlab.evaluation.protocol import Distances, Flags, Folds, auc, evaluate

RESAMPLES = 2000  # the least possible p is then 0.001


class Decisions(NamedTuple):
    """A model's decisions on the pairs at the thresholds of the protocol; all (pairs,)."""

    distances: Distances
    excess: Distances  # over the threshold of the pair's fold; at or below 0: accepted
    correct: Flags


class Difference(NamedTuple):
    """The first model's figure minus the second's, its 95 % interval, and p of no difference."""

    value: float
    low: float
    high: float
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
    other side of 0.
    """
    everything = np.ones(len(matched))
    statistics = [
        *(weighted_ratio(model.correct, everything) for model in models),
        *(weighted_auc(model.distances, matched) for model in models),
    ]
    drawn = resampled(statistics, matched, identities, resamples=resamples, seed=seed)
    accuracies, aucs = np.split(drawn, 2)
    plain = [auc(model.distances, matched) for model in models]
    comparisons = {}
    for one in range(len(models)):
        for other in range(one + 1, len(models)):
            first, second = models[one], models[other]
            only_first = int(np.count_nonzero(first.correct & ~second.correct))
            only_second = int(np.count_nonzero(second.correct & ~first.correct))
            lead = (only_first - only_second) / len(matched)
            comparisons[one, other] = Comparison(
                _difference(lead, accuracies[one] - accuracies[other]),
                _difference(plain[one] - plain[other], aucs[one] - aucs[other]),
                only_first,
                only_second,
                mcnemar(only_first, only_second),
                float(np.mean(first.correct == second.correct)),
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


def _difference(value: float, resampled: NDArray[np.float64]) -> Difference:
    """p is twice the share of resamples on the other side of 0, never below 2 / (n + 1)."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    opposite = min(np.count_nonzero(resampled <= 0), np.count_nonzero(resampled >= 0))
    p = min(1.0, 2 * (opposite + 1) / (len(resampled) + 1))
    return Difference(value, float(low), float(high), p)
