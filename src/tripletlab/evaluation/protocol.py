"""The LFW protocol, exactly: thresholds from nine folds, applied to the tenth, ten times.

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


def evaluate(distances: Distances, matched: Flags, fold: Folds) -> ProtocolResult:
    """Evaluate every fold at the threshold that is most accurate on the others.

    Every distance that occurs on the others is a candidate; of equally good ones the smallest is
    taken. ValueError for fewer than two folds, for distances that are not finite, and for a fold
    without matched or without mismatched pairs.
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
    """Chance that a matched pair is nearer than a mismatched one; a tie counts half.

    0.5 when all distances are equal; ValueError without matched or without mismatched pairs.
    """
    if not 0 < np.count_nonzero(matched) < len(matched):
        raise ValueError("an AUC needs matched and mismatched pairs")
    order = np.argsort(distances)
    return _auc(distances[order], matched[order])


def roc(distances: Distances, matched: Flags) -> tuple[Rates, Rates]:
    """False and true positive rates at every threshold, (0, 0) to (1, 1); ties are one step."""
    order = np.argsort(distances)
    last = _last_of_equals(distances[order])
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


def _auc(ordered: Distances, matched: Flags) -> float:
    """AUC of pairs in ascending order of their distances."""
    last = _last_of_equals(ordered)
    near = np.cumsum(matched)[last]  # matched pairs up to each distance that occurs
    far = last + 1 - near
    won = np.diff(far, prepend=0) * (near - np.diff(near, prepend=0) / 2)
    return float(won.sum() / (near[-1] * far[-1]))


def _best_threshold(ordered: Distances, matched: Flags) -> float:
    """The threshold with the most right calls on pairs in ascending order of their distances."""
    last = _last_of_equals(ordered)
    gain = np.cumsum(np.where(matched, 1, -1))[last]  # right calls more than at no threshold
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
    near = np.bincount(fold[matched], minlength=len(sizes))
    for k in np.flatnonzero((near == 0) | (near == sizes)):
        raise ValueError(f"fold {k} needs matched and mismatched pairs")
