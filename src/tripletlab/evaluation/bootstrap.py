"""How sure a figure is: a bootstrap that draws identities, since pairs of one person go together.

A statistic takes weights (resamples, pairs), how often each pair occurs, and gives (resamples,),
or (figures, resamples) where it computes several at once.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.protocol import Distances, Flags

Identities = NDArray[np.int64]  # (pairs, 2) labels of both sides
Weights = NDArray[np.float64]  # (resamples, pairs)
Statistic = Callable[[Weights], NDArray[np.float64]]
RESAMPLES = 400  # a standard error's own error is then 4 %
BLOCK = 1 << 20  # weights at once, 8 MB: memory grows with the pairs, not with the resamples


def resampled(
    statistics: Sequence[Statistic],
    matched: Flags,
    identities: Identities,
    *,
    resamples: int,
    seed: int,
) -> NDArray[np.float64]:
    """(figures, resamples) The same draws serve all statistics, so that they can be compared."""
    blocks = identity_weights(matched, identities, resamples=resamples, seed=seed)
    parts = [np.vstack([statistic(weights) for statistic in statistics]) for weights in blocks]
    return np.concatenate(parts, axis=1)


def identity_weights(
    matched: Flags, identities: Identities, *, resamples: int, seed: int
) -> Iterator[Weights]:
    """How often a pair occurs when its identities are drawn with replacement, block by block.

    An identity drawn c times brings each of its matched pairs c times; a mismatched pair occurs
    by the product of both draws, as cells do when rows and columns are resampled (Owen, The
    pigeonhole bootstrap, Annals of Applied Statistics 1(2), 2007; for one set of identities on
    both sides: Snijders and Borgatti, Connections 22(2), 1999). The product has a variance of
    about 3 where an independent pair needs 1, so the standard error errs on the large side, where
    that of a bootstrap of pairs errs on the small one.
    """
    people, places = np.unique(identities, return_inverse=True)
    one, other = places.reshape(identities.shape).T
    other = np.where(matched, len(people), other)  # a column of ones
    rng = np.random.default_rng(seed)
    rows = max(1, BLOCK // len(matched))
    for start in range(0, resamples, rows):
        block = min(rows, resamples - start)
        drawn = np.ones((block, len(people) + 1))
        drawn[:, :-1] = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), block)
        yield drawn.take(one, axis=1) * drawn.take(other, axis=1)


def weighted_auc(distances: Distances, matched: Flags) -> Statistic:
    """The AUC of pairs that occur so often; ties count half.

    One sort serves all resamples. A resample without one of the two kinds gives 0.5.
    """
    near, far = (np.flatnonzero(kind) for kind in (matched, ~matched))
    near, far = (rows[np.argsort(distances[rows])] for rows in (near, far))
    nearer = np.searchsorted(distances[near], distances[far], side="left")
    nearer_or_equal = np.searchsorted(distances[near], distances[far], side="right")

    def statistic(weights: Weights) -> NDArray[np.float64]:
        losers = weights.take(far, axis=1)
        winners = np.zeros((len(weights), len(near) + 1))  # up to each matched pair
        np.cumsum(weights.take(near, axis=1), axis=1, out=winners[:, 1:])
        twice = winners.take(nearer, axis=1) + winners.take(nearer_or_equal, axis=1)
        total = winners[:, -1] * losers.sum(axis=1)
        won = np.einsum("rp,rp->r", losers, twice) / 2
        return np.where(total > 0, won / np.maximum(total, 1), 0.5)

    return statistic


def weighted_ratio(part: NDArray[Any], whole: NDArray[Any]) -> Statistic:
    """The sum of `part` over that of `whole`, both (pairs,), such as right calls / all; 0 of 0."""
    sides = np.stack([part, whole], axis=1).astype(np.float64)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        some, all_of_it = (weights @ sides).T
        return np.asarray(some / np.where(all_of_it > 0, all_of_it, 1))

    return statistic
