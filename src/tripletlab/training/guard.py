"""Collapse: every face falls into one point, the distances go to 0 and the loss to the margin.

Nothing here imports Keras.
"""

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

ADVICE = (
    "what usually helps: regularizer=spread, miner=semihard, a lower optimizer.learning_rate,"
    " architecture.batch_norm=false"
)


class Collapsed(FloatingPointError):  # noqa: N818 - named as what happened
    """Training collapsed in `epoch`; the message gives the symptom and what usually helps."""

    def __init__(self, epoch: int, message: str) -> None:
        super().__init__(message)
        self.epoch = epoch


def embedding_statistics(embeddings: NDArray[np.float32]) -> dict[str, float]:
    """How much of the sphere unit embeddings (n, dim) fill, n at least 2.

    `mean_distance`, of all pairs: 0 when all coincide, 2 for points drawn at random;
    `embedding_std`, the mean over dimensions: 0, and about dim^-1/2 at random; `effective_rank`,
    the exponential of the entropy of the covariance's eigenvalues (Roy and Vetterli, 2007): between
    1 and dim, 0 when all coincide. All three are NaN where an embedding is not finite.
    """
    if not np.isfinite(embeddings).all():
        return dict.fromkeys(("mean_distance", "embedding_std", "effective_rank"), math.nan)
    points = embeddings.astype(np.float64)
    count = len(points)
    centred = points - points.mean(axis=0)
    variances = (centred**2).mean(axis=0)  # (dim,)
    eigenvalues = np.linalg.eigvalsh(centred.T @ centred / count).clip(min=0)
    shares = eigenvalues / max(eigenvalues.sum(), 1e-12)
    shares = shares[shares > 0]
    rank = np.exp(-(shares * np.log(shares)).sum()) if eigenvalues.sum() > 1e-12 else 0.0
    return {
        "mean_distance": float(2 * variances.sum() * count / (count - 1)),
        "embedding_std": float(np.sqrt(variances).mean()),
        "effective_rank": float(rank),
    }


def collapse(
    distances: Sequence[float],
    *,
    warm_up: Annotated[int, Field(ge=2)],
    shrunk_to: Annotated[float, Field(gt=0, lt=1)],
) -> str | None:
    """What is wrong, or None while all is well.

    `distances` are the mean distances of the validation embeddings: first the untrained network's,
    then one for each epoch. An untrained network is close to one point by itself, so a level says
    nothing; collapsed is what, after `warm_up` epochs, has been below `shrunk_to` of the untrained
    distance for two epochs and has not more than doubled in the last one.
    """
    untrained, *trained = distances
    if len(trained) < warm_up:
        return None
    before, now = trained[-2:]
    bound = shrunk_to * untrained
    if before > bound or now > bound or now > 2 * before > 0:
        return None
    return (
        f"all faces fall into one point: validation embeddings are {now:.2g} apart on average,"
        f" and were {untrained:.2g} before training"
    )


def none(distances: Sequence[float]) -> None:
    """Let a run collapse, to study it."""
