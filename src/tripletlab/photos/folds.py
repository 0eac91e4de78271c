"""Folds of pairs that come in a known order."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.photos.pairs import Indices


def consecutive_folds(pairs: int, *, folds: int) -> Indices:
    """The fold of each pair (pairs,): consecutive parts whose sizes differ by one at most.

    These are the folds of scikit-learn's `KFold` without shuffling.
    """
    return np.sort(np.arange(pairs) % folds)


def folds_of_each_kind(matched: NDArray[np.bool_], *, folds: int) -> Indices:
    """The fold of each pair (pairs,), with an equal share of the matched pairs in every fold.

    Fold k is the k-th part of the matched pairs and the k-th part of the mismatched ones.
    """
    fold = np.zeros(len(matched), np.int64)
    for kind in (matched, ~matched):
        fold[kind] = consecutive_folds(int(kind.sum()), folds=folds)
    return fold


def require_enough(matched: NDArray[np.bool_], path: Path, *, folds: int) -> None:
    """InputError, which names the file, where not every fold can have a pair of each kind."""
    counts = int(matched.sum()), int((~matched).sum())
    if min(counts) < folds:
        raise InputError(
            f"{path}: {counts[0]} matched and {counts[1]} mismatched pairs are too few for {folds}"
            " folds with one of each"
        )


def every_fold_has_both(matched: NDArray[np.bool_], fold: Indices, *, folds: int) -> bool:
    """Every one of the folds has matched and mismatched pairs; both arguments are (pairs,)."""
    counts = [np.bincount(fold[kind], minlength=folds) for kind in (matched, ~matched)]
    return bool(np.all(counts))
