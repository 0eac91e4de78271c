"""Uncertainty by a bootstrap over identities, since the pairs of one person are not independent.

A statistic takes weights (resamples, pairs), how often each pair occurs, and returns
(resamples,), or (figures, resamples) where it computes several at once.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.protocol import Distances, Flags

Identities = NDArray[np.int64]  # (pairs, 2) labels of both sides
Weights = NDArray[np.float64]  # (resamples, pairs)
Statistic = Callable[[Weights], NDArray[np.float64]]
RESAMPLES = 400  # the relative error of a standard error is then 4 %
PERCENTILES_FROM = 20  # people; with fewer, the percentiles lie too close together
FEWEST = 8  # people with an interval: Student's covers the truth in about 90 % with 8, 80 % with 4
TOO_FEW_PEOPLE = "too few people for an interval"
BLOCK = 1 << 20  # weights at once, 8 MB, so that memory does not grow with the resamples


def resampled(
    statistics: Sequence[Statistic],
    matched: Flags,
    identities: Identities,
    *,
    resamples: int,
    seed: int,
) -> NDArray[np.float64]:
    """Compute statistics on the same draws of identities, so that they can be compared.

    `matched` (pairs,), `identities` (pairs, 2); returns (figures, resamples), the statistics'
    figures in their order. The same `seed` gives the same draws.
    """
    blocks = identity_weights(matched, identities, resamples=resamples, seed=seed)
    parts = [np.vstack([statistic(weights) for statistic in statistics]) for weights in blocks]
    return np.concatenate(parts, axis=1)


def identity_weights(
    matched: Flags, identities: Identities, *, resamples: int, seed: int
) -> Iterator[Weights]:
    """How often each pair occurs when identities are drawn with replacement.

    Yields blocks (some resamples, pairs). An identity drawn c times brings each of its matched
    pairs c times; a mismatched pair occurs as often as the product of its two identities' draws,
    as cells do when rows and columns are resampled (Owen, The pigeonhole bootstrap, Annals of
    Applied Statistics 1(2), 2007; for the same identities on both sides: Snijders and Borgatti,
    Connections 22(2), 1999). The product has a variance of about 3 where independent pairs would
    have 1: the standard error is rather too large, that of a bootstrap over pairs too small.
    A draw without matched or without mismatched pairs, of which most figures are undefined, is
    drawn again, unless there are none at all.
    """
    people, places = np.unique(identities, return_inverse=True)
    one, other = places.reshape(identities.shape).T
    other = np.where(matched, len(people), other)  # a column of ones
    rng, again = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    even = np.full(len(people), 1 / len(people))
    both = matched.any() and not matched.all()
    rows = max(1, BLOCK // len(matched))
    for start in range(0, resamples, rows):
        block = min(rows, resamples - start)
        drawn = np.ones((block, len(people) + 1))
        drawn[:, :-1] = rng.multinomial(len(people), even, block)
        weights = drawn.take(one, axis=1) * drawn.take(other, axis=1)
        lacking = (weights @ matched == 0) | (weights @ ~matched == 0)
        for row in np.flatnonzero(lacking & both):
            while not (weights[row, matched].any() and weights[row, ~matched].any()):
                drawn[row, :-1] = again.multinomial(len(people), even)
                weights[row] = drawn[row, one] * drawn[row, other]
        yield weights


def interval(
    value: float, drawn: NDArray[np.float64], *, people: int
) -> tuple[float, float] | None:
    """The 95 % interval of a figure, of which `drawn` (resamples,) are the resampled values.

    The middle 95 % of these; below PERCENTILES_FROM people, Student's interval from their standard
    deviation with people - 1 degrees of freedom; None below FEWEST.
    """
    if people < FEWEST:
        return None
    if people >= PERCENTILES_FROM:
        low, high = np.percentile(drawn, [2.5, 97.5])
        return float(low), float(high)
    from scipy.stats import t

    reach = float(t.ppf(0.975, people - 1) * drawn.std(ddof=1))
    return value - reach, value + reach


def weighted_auc(distances: Distances, matched: Flags) -> Statistic:
    """The statistic AUC, 0 to 1; ties count half.

    `distances` and `matched` are (pairs,); one sort serves all resamples. 0.5 for a resample
    without matched or without mismatched pairs.
    """
    same, different = (np.flatnonzero(kind) for kind in (matched, ~matched))
    same, different = (rows[np.argsort(distances[rows])] for rows in (same, different))
    below = np.searchsorted(distances[same], distances[different], side="left")
    below_or_equal = np.searchsorted(distances[same], distances[different], side="right")

    def statistic(weights: Weights) -> NDArray[np.float64]:
        negatives = weights.take(different, axis=1)
        positives = np.zeros((len(weights), len(same) + 1))  # up to each matched pair
        np.cumsum(weights.take(same, axis=1), axis=1, out=positives[:, 1:])
        twice = positives.take(below, axis=1) + positives.take(below_or_equal, axis=1)
        total = positives[:, -1] * negatives.sum(axis=1)
        ordered = np.einsum("rp,rp->r", negatives, twice) / 2  # pairs of pairs in the right order
        return np.where(total > 0, ordered / np.maximum(total, 1), 0.5)

    return statistic


def weighted_ratio(part: NDArray[Any], whole: NDArray[Any]) -> Statistic:
    """The statistic sum(part) / sum(whole), both (pairs,), such as correct / all; 0 for 0 / 0."""
    sides = np.stack([part, whole], axis=1).astype(np.float64)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        parts, wholes = (weights @ sides).T
        return np.asarray(parts / np.where(wholes > 0, wholes, 1))

    return statistic
