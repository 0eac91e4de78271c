"""How sure an AUC is: a bootstrap that draws identities, since pairs of one person go together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.verification.protocol import Distances, Flags, auc

Identities = NDArray[np.int64]  # (pairs, 2) labels of both sides
RESAMPLES = 400  # a standard error's own error is then 4 %


class Lead(NamedTuple):
    """How much higher one model's AUC is than another's, on the same pairs."""

    difference: float
    standard_error: float


def auc_standard_error(
    distances: Distances, matched: Flags, identities: Identities, *, resamples: int, seed: int
) -> float:
    """Standard deviation (n - 1) of the AUC over resampled identities."""
    weights = identity_weights(matched, identities, resamples=resamples, seed=seed)
    return float(weighted_auc(distances, matched, weights).std(ddof=1))


def auc_lead(
    distances: tuple[Distances, Distances],
    matched: Flags,
    identities: Identities,
    *,
    resamples: int,
    seed: int,
) -> Lead:
    """The first model's AUC less the second's; both are judged by the same draws."""
    weights = identity_weights(matched, identities, resamples=resamples, seed=seed)
    one, other = (weighted_auc(each, matched, weights) for each in distances)
    difference = auc(distances[0], matched) - auc(distances[1], matched)
    return Lead(difference, float((one - other).std(ddof=1)))


def identity_weights(
    matched: Flags, identities: Identities, *, resamples: int, seed: int
) -> NDArray[np.float64]:
    """(resamples, pairs) How often a pair occurs when its identities are drawn with replacement.

    An identity drawn c times brings each of its matched pairs c times; a mismatched pair occurs
    by the product of both draws, as cells do when rows and columns are resampled (Owen, The
    pigeonhole bootstrap, Annals of Applied Statistics 1(2), 2007; for one set of identities on
    both sides: Snijders and Borgatti, Connections 22(2), 1999). The product has a variance of
    about 3 where an independent pair needs 1, so the standard error errs on the large side, where
    that of a bootstrap of pairs errs on the small one.
    """
    people, places = np.unique(identities, return_inverse=True)
    places = places.reshape(identities.shape)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), resamples)
    one, other = drawn[:, places[:, 0]], drawn[:, places[:, 1]]
    return np.where(matched, one, one * other).astype(np.float64)


def weighted_auc(
    distances: Distances, matched: Flags, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(resamples,) AUCs of pairs that occur `weights` (resamples, pairs) times; ties count half.

    One sort serves all resamples. A resample without one of the two kinds gives 0.5.
    """
    order = np.argsort(distances)
    ordered = distances[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sorted_weights = weights[:, order]

    def by_distance(kind: Flags) -> NDArray[np.float64]:
        return np.add.reduceat(sorted_weights * kind[order], starts, axis=1)

    near, far = by_distance(matched), by_distance(~matched)
    nearer = np.cumsum(near, axis=1) - near / 2
    total = near.sum(axis=1) * far.sum(axis=1)
    won = (far * nearer).sum(axis=1)
    return np.where(total > 0, won / np.maximum(total, 1), 0.5)
