"""The same embeddings evaluated by tripletlab and by the rule of facenet and insightface.

    tripletlab evaluate champion verification=lfw verification.path=~/lfw --to evaluated
    python benchmarks/other_protocols.py evaluated verification=lfw verification.path=~/lfw

Both projects use the same code: a grid of 400 thresholds, `distance < threshold`, and folds taken
from the order of the pairs. Their rule is reimplemented here, from what it computes.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GRID = np.arange(0, 4, 0.01)
FINE_GRID = np.arange(0, 4, 0.001)
FAR = 1e-3


class ByGrid(NamedTuple):
    """What they report."""

    accuracy: NDArray[np.float64]  # (folds,)
    std: float  # divides by n, and is printed behind ±
    auc: float  # under the mean of the folds' curves, at equal thresholds
    val: float  # mean over the folds of the true accept rate where FAR is 0.001 on the others
    far: float  # and the false accept rate there


def by_grid(distances: NDArray[np.float64], matched: NDArray[np.bool_], *, folds: int) -> ByGrid:
    """Evaluate as they do; the folds are consecutive and equally large."""
    parts = np.array_split(np.arange(len(distances)), folds)
    accuracy, tprs, fprs, vals, fars = [], [], [], [], []
    for own in parts:
        others = np.setdiff1d(np.arange(len(distances)), own)
        true, false = _rates(distances[others], matched[others], GRID)
        near, far = np.count_nonzero(matched[others]), np.count_nonzero(~matched[others])
        best = GRID[np.argmax(np.round(true * near + (1 - false) * far))]
        accuracy.append(np.mean((distances[own] < best) == matched[own]))
        true, false = _rates(distances[own], matched[own], GRID)
        tprs.append(true)
        fprs.append(false)
        cut = _threshold_at(FAR, distances[others], matched[others])
        true, false = _rates(distances[own], matched[own], np.array([cut]))
        vals.append(true[0])
        fars.append(false[0])
    tpr, fpr = np.mean(tprs, axis=0), np.mean(fprs, axis=0)
    area = float(np.trapezoid(np.append(tpr, 1.0), np.append(fpr, 1.0)))
    scores = np.array(accuracy)
    return ByGrid(scores, float(scores.std()), area, float(np.mean(vals)), float(np.mean(fars)))


def _rates(
    distances: NDArray[np.float64], matched: NDArray[np.bool_], thresholds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True and false accept rates below each threshold."""
    near, far = np.sort(distances[matched]), np.sort(distances[~matched])
    return np.searchsorted(near, thresholds) / len(near), np.searchsorted(far, thresholds) / len(
        far
    )


def _threshold_at(rate: float, distances: NDArray[np.float64], matched: NDArray[np.bool_]) -> float:
    """Linear between the fine grid's false accept rates; 0 where none reaches the rate."""
    false = _rates(distances, matched, FINE_GRID)[1]
    if false.max() < rate:
        return 0.0
    after = int(np.argmax(false >= rate))
    step = false[after] - false[after - 1]
    return float(FINE_GRID[after - 1] + (rate - false[after - 1]) / step * 0.001)


def main() -> None:
    """Print both results."""
    from tripletlab import config
    from tripletlab.evaluation.operating_points import true_accept_rate
    from tripletlab.evaluation.protocol import evaluate
    from tripletlab.experiment.data import prepare_test_pairs

    folder, overrides = Path(sys.argv[1]), sys.argv[2:]
    pairs = prepare_test_pairs(config.compose("evaluate", overrides)).pairs
    distances = np.load(folder / "distances.npz")["verification"]
    ours = evaluate(distances, pairs.matched, pairs.fold)
    theirs = by_grid(distances, pairs.matched, folds=len(ours.threshold))
    tar = true_accept_rate(distances, pairs.matched, far=FAR).tar
    summary = ours.summary()
    print(f"{'':<28}{'tripletlab':>12}{'by the grid':>14}")
    rows = {
        "accuracy, mean": (summary["accuracy"], theirs.accuracy.mean()),
        "accuracy, std": (summary["accuracy_std"], theirs.std),
        "AUC": (summary["auc_pooled"], theirs.auc),
        "TAR (VAL) at FAR 0.001": (tar, theirs.val),
    }
    for name, (own, other) in rows.items():
        print(f"{name:<28}{own:>12.5f}{other:>14.5f}")
    print(f"their FAR there: {theirs.far:.5f}")


if __name__ == "__main__":
    main()
