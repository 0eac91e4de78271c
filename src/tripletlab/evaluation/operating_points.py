"""Single points of the pooled ROC curve: the equal error rate, and TAR at a given FAR."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.bootstrap import Statistic, Weights
from tripletlab.evaluation.protocol import Distances, Flags

Places = NDArray[np.int64]  # (resamples,) index of a threshold in ascending order; 0: none accepted
FARS = (0.1, 0.01, 0.001)  # false accept rates at which a true accept rate is reported
# errors for 90 % confidence of ± 30 % (Doddington et al., Speech Communication 31, 2000)
RULE_OF_30 = 30


class Point(NamedTuple):
    """The true accept rate where the false accept rate is at most `far`, both 0 to 1.

    `supported` says whether there are enough mismatched pairs for 30 false matches at `far`.
    """

    far: float
    tar: float
    supported: bool


def tar_name(far: float) -> str:
    """What the true accept rate at a false accept rate is called, on cards and among metrics."""
    return f"tar_at_far_{far:g}"


def largest_count(share: float, *, of: int) -> int:
    """The largest count that is at most this share of all.

    29 of 100 for 0.29, although 0.29 · 100 is 28.999999999999996 in floating point.
    """
    return math.floor(share * of + 1e-9)


def weighted_points(distances: Distances, matched: Flags, *, fars: Sequence[float]) -> Statistic:
    """The statistic (1 + fars, resamples): the EER, and the TAR at each FAR; 0 to 1.

    `distances` and `matched` are (pairs,). In a resample without matched or without mismatched
    pairs their accept rate is 0. Thresholds are found by bisection, since a resample needs few
    points of its curve.
    """
    order, ends = np.argsort(distances), np.unique(distances)
    kinds = [order[kind[order]] for kind in (~matched, matched)]
    accepted = [  # at each threshold, from none to all
        np.append(0, np.searchsorted(distances[kind], ends, side="right")) for kind in kinds
    ]

    def statistic(weights: Weights) -> NDArray[np.float64]:
        rows = np.arange(len(weights))
        sums = [np.zeros((len(weights), len(kind) + 1)) for kind in kinds]
        for kind, sum_ in zip(kinds, sums, strict=True):
            np.cumsum(weights.take(kind, axis=1), axis=1, out=sum_[:, 1:])

        def rates(at: Places) -> list[NDArray[np.float64]]:
            """False and true positive rates (resamples,) at a threshold each."""
            return [
                one[rows, pairs[np.minimum(at, len(ends))]] / np.maximum(one[:, -1], 1)
                for one, pairs in zip(sums, accepted, strict=True)
            ]

        def excess(at: Places) -> NDArray[np.float64]:
            false, true = rates(at)
            return false - (1 - true)  # rises from -1 to 1

        def true_accepted(far: float) -> NDArray[np.float64]:
            over = _first(lambda at: rates(at)[0] > far + 1e-12, last + 1)
            return rates(over - 1)[1]

        last = np.full(len(weights), len(ends))
        after = np.maximum(1, _first(lambda at: excess(at) >= 0, last))
        here, there = excess(after - 1), excess(after)
        low, high = rates(after - 1)[0], rates(after)[0]
        eer = low - here / np.where(there > here, there - here, 1) * (high - low)
        return np.stack([eer, *map(true_accepted, fars)])

    return statistic


def _first(holds: Callable[[Places], NDArray[np.bool_]], last: Places) -> Places:
    """(rows,) The first place at which a monotone condition holds, by bisection; or `last`."""
    low, high = np.zeros_like(last), last.copy()
    while np.any(low < high):
        middle = (low + high) // 2
        found = holds(middle)
        low, high = np.where(found, low, middle + 1), np.where(found, middle, high)
        low = np.minimum(low, high)
    return low


def equal_error_rate(distances: Distances, matched: Flags) -> float:
    """The rate, 0 to 1, at which false accepts equal false rejects.

    The ROC curve is taken as linear between its points; 0.5 when all distances are equal.
    `distances` and `matched` are (pairs,).
    """
    return _each_once(distances, matched)[0]


def true_accept_rate(distances: Distances, matched: Flags, *, far: float) -> Point:
    """The highest true accept rate at a false accept rate of at most `far`.

    Thresholds are the distances (pairs,) that occur, nothing is interpolated; 0 if none qualifies.
    """
    mismatched = int(np.count_nonzero(~matched))
    tar = _each_once(distances, matched, far)[1]
    return Point(far, tar, round(far * mismatched, 9) >= RULE_OF_30)


def _each_once(distances: Distances, matched: Flags, *fars: float) -> list[float]:
    points = weighted_points(distances, matched, fars=fars)(np.ones((1, len(distances))))
    return [float(one) for one in points[:, 0]]
