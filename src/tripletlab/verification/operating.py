"""Single points of the pooled ROC curve: the equal error rate, and TAR at a given FAR."""

from typing import NamedTuple

import numpy as np

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


def equal_error_rate(distances: Distances, matched: Flags) -> float:
    """Where as many mismatched pairs are accepted as matched ones refused, as rates, 0 to 1.

    The curve is linear between its points, as the AUC takes it; 0.5 when all distances are equal.
    """
    false, true = roc(distances, matched)
    excess = false - (1 - true)  # rises from -1 to 1
    after = int(np.argmax(excess >= 0))
    share = -excess[after - 1] / (excess[after] - excess[after - 1])
    return float(false[after - 1] + share * (false[after] - false[after - 1]))


def true_accept_rate(distances: Distances, matched: Flags, *, far: float) -> Point:
    """The highest rate at a threshold that occurs, nothing interpolated; 0 if there is none."""
    false, true = roc(distances, matched)
    mismatched = int(np.count_nonzero(~matched))
    reached = int(np.searchsorted(false, far + 1e-12, side="right")) - 1
    return Point(far, float(true[reached]), round(far * mismatched, 9) >= RULE_OF_30)
