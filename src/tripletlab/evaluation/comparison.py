"""Two models on the same pairs: how far apart they are, and whether that is more than chance."""

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

RESAMPLES = 2000  # the least p that can be told is 0.001


class Decisions(NamedTuple):
    """A model's decisions on the pairs, by the thresholds of the protocol."""

    distances: Distances
    excess: Distances  # over the threshold of the pair's fold; at or below 0: accepted
    correct: Flags


class Difference(NamedTuple):
    """The first model's figure less the second's, its middle 95 %, and p of no difference."""

    value: float
    low: float
    high: float
    p: float


class Comparison(NamedTuple):
    """Two models, paired; all over the pairs of all folds at once."""

    accuracy: Difference
    auc: Difference
    only_first: int  # pairs that the first alone calls rightly
    only_second: int
    mcnemar: float  # p; it takes the pairs as independent, which those of one person are not
    agreement: float  # share of the pairs with the same decision, right or wrong


def decide(distances: Distances, matched: Flags, fold: Folds) -> Decisions:
    """The decisions of the protocol, see `evaluate`."""
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
    """Every two models, by their places; the same draws of identities serve all."""
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
    """Exact two-sided p of McNemar's test; 1 where the models never differ."""
    from scipy.stats import binomtest

    if only_first + only_second == 0:
        return 1.0
    return float(binomtest(only_first, only_first + only_second, 0.5).pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """The p of several tests at once, adjusted (Holm, Scandinavian Journal of Statistics 6, 1979).

    Where all are held against 0.05, one of them is wrongly below it with a chance of 5 % at most.
    """
    values = np.asarray(ps, np.float64)
    order = np.argsort(values)
    times = len(values) - np.arange(len(values))
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(times * values[order]), 1)
    return adjusted.tolist()


def _difference(value: float, resampled: NDArray[np.float64]) -> Difference:
    """p is twice the share of resamples on the other side of zero, never below 2 / (n + 1)."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    other_side = min(np.count_nonzero(resampled <= 0), np.count_nonzero(resampled >= 0))
    p = min(1.0, 2 * (other_side + 1) / (len(resampled) + 1))
    return Difference(value, float(low), float(high), p)
