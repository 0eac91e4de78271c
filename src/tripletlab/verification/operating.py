"""Single points of the pooled ROC curve: the equal error rate, and TAR at a given FAR."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.verification.bootstrap import Statistic, Weights
from tripletlab.verification.protocol import Distances, Flags, roc

RULE_OF_30 = (
    30  # false matches for 90 % sureness of ± 30 % (Doddington et al., Speech Comm. 31, 2000)
)


class Point(NamedTuple):
    """The true accept rate where the false accept rate is at most `far`.

    `supported` says whether the mismatched pairs are so many that `far` means 30 false matches.
    """

    far: float
    tar: float
    supported: bool


def weighted_points(distances: Distances, matched: Flags, *, fars: Sequence[float]) -> Statistic:
    """The EER, and the TAR at each FAR, of pairs that occur so often: (1 + fars, resamples).

    0 for the TAR, and an EER of 0 or 1, in a resample that lacks a kind of pairs.
    """
    order = np.argsort(distances)
    near, far = (order[kind[order]] for kind in (matched, ~matched))
    ends = np.unique(distances)

    def rates(weights: Weights, kind: NDArray[np.int64]) -> NDArray[np.float64]:
        """(resamples, 1 + thresholds) The share that is accepted, from none to all."""
        sums = np.zeros((len(weights), len(kind) + 1))
        np.cumsum(weights.take(kind, axis=1), axis=1, out=sums[:, 1:])
        accepted = np.searchsorted(distances[kind], ends, side="right")
        return sums.take(np.append(0, accepted), axis=1) / np.maximum(sums[:, -1:], 1)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        false, true = rates(weights, far), rates(weights, near)
        at = [np.count_nonzero(false <= one + 1e-12, axis=1) - 1 for one in fars]
        tars = [np.take_along_axis(true, one[:, None], axis=1)[:, 0] for one in at]
        return np.stack([_crossing(false, true), *tars])

    return statistic


def _crossing(false: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where curves (curves, points) that are linear between their points have false = 1 - true."""
    excess = false - (1 - true)  # rises from -1 to 1
    after = np.maximum(1, np.argmax(excess >= 0, axis=1))[:, None]
    here, low = (np.take_along_axis(one, after - 1, axis=1)[:, 0] for one in (excess, false))
    there, high = (np.take_along_axis(one, after, axis=1)[:, 0] for one in (excess, false))
    share = -here / np.where(there > here, there - here, 1)
    return np.asarray(low + share * (high - low))


def equal_error_rate(distances: Distances, matched: Flags) -> float:
    """Where as many mismatched pairs are accepted as matched ones refused, as rates, 0 to 1.

    The curve is linear between its points, as the AUC takes it; 0.5 when all distances are equal.
    """
    false, true = roc(distances, matched)
    return float(_crossing(false[None], true[None])[0])


def true_accept_rate(distances: Distances, matched: Flags, *, far: float) -> Point:
    """The highest rate at a threshold that occurs, nothing interpolated; 0 if there is none."""
    false, true = roc(distances, matched)
    mismatched = int(np.count_nonzero(~matched))
    reached = int(np.searchsorted(false, far + 1e-12, side="right")) - 1
    return Point(far, float(true[reached]), round(far * mismatched, 9) >= RULE_OF_30)
