"""The LFW protocol, exactly: thresholds from nine sets, the verdict on the tenth, ten times.

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
class Verdict:
    """The counts of every fold and what follows from them; all (folds,) but `auc_pooled`."""

    threshold: Distances
    tp: Counts  # matched, called the same person
    fp: Counts
    tn: Counts
    fn: Counts
    auc: NDArray[np.float64]
    auc_pooled: float  # over all pairs at once

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(folds,) right calls / all pairs."""
        return np.asarray((self.tp + self.tn) / (self.tp + self.fp + self.tn + self.fn))

    @property
    def precision(self) -> NDArray[np.float64]:
        """(folds,) 0 where nothing was called the same person."""
        return np.asarray(self.tp / np.maximum(self.tp + self.fp, 1))

    @property
    def recall(self) -> NDArray[np.float64]:
        """(folds,) matched pairs that were found / matched pairs."""
        return self.tp / (self.tp + self.fn)

    def summary(self) -> dict[str, float]:
        """Means over the folds under their own names, and the accuracy's scatter.

        `accuracy_std` divides by folds - 1; `accuracy_standard_error`, that over the root of the
        number of folds, is the S_E of LFW's report (Huang et al., UMass 07-49, 2007).
        """
        names = ("accuracy", "precision", "recall", "auc", "threshold")
        scatter = float(self.accuracy.std(ddof=1))
        return {
            **{name: float(getattr(self, name).mean()) for name in names},
            "auc_pooled": self.auc_pooled,
            "accuracy_std": scatter,
            "accuracy_standard_error": scatter / float(np.sqrt(len(self.threshold))),
        }


def pair_distances(
    embeddings: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]
) -> Distances:
    """Squared distances between rows of embeddings (n, dim), one for each pair of row numbers."""
    difference = embeddings[first].astype(np.float64) - embeddings[second]
    return np.asarray(np.einsum("pd,pd->p", difference, difference))


def judge(distances: Distances, matched: Flags, fold: Folds) -> Verdict:
    """Judge every fold by the threshold that is best on the others.

    Every distance that occurs on the others is a candidate; of equally good ones the smallest is
    taken. ValueError for fewer than two folds, for distances that are not finite, and for a fold
    without matched or without mismatched pairs.
    """
    _check(distances, matched, fold)
    thresholds = _best_thresholds(distances, matched, fold)
    same = distances <= thresholds[fold]

    def count(chosen: Flags) -> Counts:
        return np.bincount(fold[chosen], minlength=len(thresholds))

    return Verdict(
        threshold=thresholds,
        tp=count(same & matched),
        fp=count(same & ~matched),
        tn=count(~same & ~matched),
        fn=count(~same & matched),
        auc=np.array([auc(*one) for one in _by_fold(distances, matched, fold)]),
        auc_pooled=auc(distances, matched),
    )


def auc(distances: Distances, matched: Flags) -> float:
    """Chance that a matched pair is nearer than a mismatched one; a tie counts half.

    0.5 when all distances are equal; ValueError without matched or without mismatched pairs.
    """
    far = int(np.count_nonzero(~matched))
    if not 0 < far < len(matched):
        raise ValueError("an AUC needs matched and mismatched pairs")
    _, place, counts = np.unique(distances, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = rank[~matched].sum() - far * (far + 1) / 2
    return float(above / (far * (len(matched) - far)))


def roc(distances: Distances, matched: Flags) -> tuple[Rates, Rates]:
    """False and true positive rates at every threshold, (0, 0) to (1, 1); ties are one step."""
    order = np.argsort(distances)
    last = np.append(np.flatnonzero(np.diff(distances[order])), len(order) - 1)
    true = np.cumsum(matched[order])[last] / np.count_nonzero(matched)
    false = np.cumsum(~matched[order])[last] / np.count_nonzero(~matched)
    return np.append(0.0, false), np.append(0.0, true)


def mean_roc(distances: Distances, matched: Flags, fold: Folds, *, grid: Rates) -> Rates:
    """Mean over the folds of the true positive rates at the false positive rates `grid`.

    That is vertical averaging: a fold's curve is linear between its points, and taken at its
    highest where it rises straight up (Fawcett, Pattern Recognition Letters 27, 2006, algorithm 3).
    """
    curves = [roc(*one) for one in _by_fold(distances, matched, fold)]
    # At a repeated abscissa numpy.interp takes the last point, which is the highest.
    return np.asarray(np.mean([np.interp(grid, false, true) for false, true in curves], axis=0))


def _by_fold(distances: Distances, matched: Flags, fold: Folds) -> list[tuple[Distances, Flags]]:
    return [(distances[fold == k], matched[fold == k]) for k in np.unique(fold)]


def _best_thresholds(distances: Distances, matched: Flags, fold: Folds) -> Distances:
    """(folds,) One sort serves all of them; a fold is left out by a weight of zero."""
    values, place = np.unique(distances, return_inverse=True)
    folds = int(fold.max()) + 1
    gain = np.zeros((folds, len(values)))  # right calls won by raising the threshold to a value
    present = np.zeros((folds, len(values)))
    np.add.at(gain, (fold, place), np.where(matched, 1.0, -1.0))
    np.add.at(present, (fold, place), 1.0)
    others = np.cumsum(gain.sum(axis=0) - gain, axis=1)
    candidate = present.sum(axis=0) - present > 0
    best = np.argmax(np.where(candidate, others, -np.inf), axis=1)  # the first, so the smallest
    return np.asarray(values[best])


def _check(distances: Distances, matched: Flags, fold: Folds) -> None:
    if not np.isfinite(distances).all():
        raise ValueError("distances must be finite")
    used = np.unique(fold)
    if len(used) < 2 or not np.array_equal(used, np.arange(len(used))):
        raise ValueError("folds must be 0, 1, … and at least two")
    for k in used:
        if len(np.unique(matched[fold == k])) < 2:
            raise ValueError(f"fold {k} needs matched and mismatched pairs")
