"""The LFW protocol: the threshold from nine folds, applied to the tenth, ten times.

Positive means "the same person": a squared distance at or below the threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Distances = NDArray[np.float64]  # (pairs,) squared Euclidean
Flags = NDArray[np.bool_]  # (pairs,) the pair shows one person
Folds = NDArray[np.int64]  # (pairs,) from 0
Counts = NDArray[np.int64]  # (folds,)
Rates = NDArray[np.float64]  # 0 to 1


@dataclass(frozen=True)
class ProtocolResult:
    """The counts of every fold and the rates from them; all (folds,) except `auc_pooled`."""

    threshold: Distances
    tp: Counts  # matched and accepted
    fp: Counts
    tn: Counts
    fn: Counts
    auc: NDArray[np.float64]
    auc_pooled: float  # of all pairs at once

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(folds,) Correct decisions / all pairs, 0 to 1."""
        return np.asarray((self.tp + self.tn) / (self.tp + self.fp + self.tn + self.fn))

    @property
    def precision(self) -> NDArray[np.float64]:
        """(folds,) Matched pairs / accepted pairs, 0 to 1; 0 where none was accepted."""
        return np.asarray(self.tp / np.maximum(self.tp + self.fp, 1))

    @property
    def recall(self) -> NDArray[np.float64]:
        """(folds,) Accepted matched pairs / matched pairs, 0 to 1."""
        return self.tp / (self.tp + self.fn)

    def summary(self) -> dict[str, float]:
        """Means over the folds under their own names, and the std of the accuracy.

        `accuracy_std` divides by folds - 1; `accuracy_standard_error`, the std over the square
        root of the folds, is the S_E of LFW's report (Huang et al., UMass 07-49, 2007).
        """
        names = ("accuracy", "precision", "recall", "auc", "threshold")
        std = float(self.accuracy.std(ddof=1))
        return {
            **{name: float(getattr(self, name).mean()) for name in names},
            "auc_pooled": self.auc_pooled,
            "accuracy_std": std,
            "accuracy_standard_error": std / float(np.sqrt(len(self.threshold))),
        }


def pair_distances(
    embeddings: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]
) -> Distances:
    """Squared Euclidean distances (pairs,) between rows of `embeddings` (n, dim).

    `first` and `second` (pairs,) are row numbers. 0 to 4 for unit embeddings; NaN where one is.
    """
    difference = embeddings[first].astype(np.float64) - embeddings[second]
    return np.asarray(np.einsum("pd,pd->p", difference, difference))


def evaluate(distances: Distances, matched: Flags, fold: Folds) -> ProtocolResult:
    """Evaluate every fold at the threshold that is most accurate on the others.

    This is the protocol of LFW (Huang et al., UMass 07-49, 2007). All arguments are (pairs,).
    Every distance that occurs on the other folds is a candidate; of equally accurate ones the
    smallest is taken. ValueError for fewer than two folds, distances that are not finite, and a
    fold without matched or without mismatched pairs.
    """
    _check(distances, matched, fold)
    order = np.argsort(distances)  # the one sort that serves all folds
    ordered, flags, folds = distances[order], matched[order], fold[order]
    inside = [folds == k for k in range(int(fold.max()) + 1)]
    thresholds = np.array([_best_threshold(ordered[~one], flags[~one]) for one in inside])
    same = distances <= thresholds[fold]

    def count(chosen: Flags) -> Counts:
        return np.bincount(fold[chosen], minlength=len(thresholds))

    return ProtocolResult(
        threshold=thresholds,
        tp=count(same & matched),
        fp=count(same & ~matched),
        tn=count(~same & ~matched),
        fn=count(~same & matched),
        auc=np.array([_auc(ordered[one], flags[one]) for one in inside]),
        auc_pooled=_auc(ordered, flags),
    )


def auc(distances: Distances, matched: Flags) -> float:
    """The chance, 0 to 1, that a matched pair is nearer than a mismatched one; ties count half.

    `distances` and `matched` are (pairs,). 0.5 when all distances are equal; ValueError without
    matched or without mismatched pairs.
    """
    if not 0 < np.count_nonzero(matched) < len(matched):
        raise ValueError("an AUC needs matched and mismatched pairs")
    order = np.argsort(distances)
    return _auc(distances[order], matched[order])


def roc(distances: Distances, matched: Flags) -> tuple[Rates, Rates]:
    """False and true positive rates at every threshold, from (0, 0) to (1, 1).

    Both are (distinct distances + 1,); equal distances are one step. NaN for a kind of pairs that
    is missing.
    """
    order = np.argsort(distances)
    last = _last_of_equals(distances[order])
    true = np.cumsum(matched[order])[last] / np.count_nonzero(matched)
    false = np.cumsum(~matched[order])[last] / np.count_nonzero(~matched)
    return np.append(0.0, false), np.append(0.0, true)


def mean_roc(
    distances: Distances, matched: Flags, fold: Folds, *, points: int = 501
) -> tuple[Rates, Rates]:
    """False positive rates at even intervals, and the mean true positive rates over the folds.

    Both are (points + 1,), from 0, 0 on. That is vertical averaging: a fold's curve is linear
    between its points, and the highest value counts where it is vertical (Fawcett, Pattern
    Recognition Letters 27, 2006, algorithm 3).
    """
    grid = np.linspace(0, 1, points)
    curves = [roc(distances[fold == k], matched[fold == k]) for k in np.unique(fold)]
    # At a repeated abscissa numpy.interp takes the last point, which is the highest.
    mean = np.mean([np.interp(grid, false, true) for false, true in curves], axis=0)
    return np.append(0.0, grid), np.append(0.0, mean)


def _auc(ordered: Distances, matched: Flags) -> float:
    """AUC of pairs in ascending order of their distances."""
    last = _last_of_equals(ordered)
    true = np.cumsum(matched)[last]  # matched pairs up to each distance that occurs
    false = last + 1 - true
    ordered = np.diff(false, prepend=0) * (true - np.diff(true, prepend=0) / 2)
    return float(ordered.sum() / (true[-1] * false[-1]))


def _best_threshold(ordered: Distances, matched: Flags) -> float:
    """The most accurate threshold on pairs in ascending order of their distances."""
    last = _last_of_equals(ordered)
    # how many more decisions are correct than if none is accepted
    gain = np.cumsum(np.where(matched, 1, -1))[last]
    return float(ordered[last[np.argmax(gain)]])  # the first, so the smallest


def _last_of_equals(ordered: Distances) -> NDArray[np.int64]:
    """(values,) The last place of every distance that occurs."""
    return np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)


def _check(distances: Distances, matched: Flags, fold: Folds) -> None:
    if not np.isfinite(distances).all():
        raise ValueError("distances must be finite")
    sizes = np.bincount(fold) if len(fold) and fold.min() >= 0 else np.zeros(0)
    if len(sizes) < 2 or not sizes.all():
        raise ValueError("folds must be 0, 1, … and at least two")
    positives = np.bincount(fold[matched], minlength=len(sizes))
    for k in np.flatnonzero((positives == 0) | (positives == sizes)):
        raise ValueError(f"fold {k} needs matched and mismatched pairs")
