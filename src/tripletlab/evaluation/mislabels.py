"""Photos that may lie in the wrong person's folder, by the distances of their embeddings."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PART = 4096  # faces that are compared at once


class Suspicion(NamedTuple):
    """For every face (n,): squared distances, and whose the nearest others are (a label)."""

    own: NDArray[np.float64]  # from the mean of its person's other faces
    other: NDArray[np.float64]  # from the nearest mean of somebody else's faces
    nearest: NDArray[np.int64]

    @property
    def score(self) -> NDArray[np.float64]:
        """How much closer somebody else is, -4 to 4; the higher, the more suspect."""
        return self.own - self.other


def suspicion(embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> Suspicion:
    """Compare every embedding (n, dim) with its own person and with all others.

    Means are brought to unit length, so that a person with scattered faces is not closer to all.
    Labels count from 0 without a gap. The only face of a person is 0 from it; with a single person
    the others are 4 away.
    """
    count = int(labels.max()) + 1
    sums = np.zeros((count, embeddings.shape[1]))
    np.add.at(sums, labels, embeddings.astype(np.float64))
    sizes = np.bincount(labels, minlength=count)
    means = _unit(sums)
    own = np.where(sizes[labels] > 1, _squared(_unit(sums[labels] - embeddings), embeddings), 0.0)
    other, nearest = np.full(len(labels), 4.0), np.zeros(len(labels), np.int64)
    for start in range(0, len(labels), PART):
        rows = slice(start, start + PART)
        distances = 2 - 2 * embeddings[rows].astype(np.float64) @ means.T  # (part, persons)
        distances[np.arange(len(distances)), labels[rows]] = 4.0
        nearest[rows] = distances.argmin(axis=1)
        other[rows] = distances.min(axis=1)
    return Suspicion(own, other, nearest)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12))


def _squared(one: NDArray[np.float64], other: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(((one - other) ** 2).sum(axis=1))
