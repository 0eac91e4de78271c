"""The search for the nearest people: one embedding against all enrolled, as a matrix product."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-3  # of a squared length; float32's rounding is a thousand times smaller


def is_unit(embeddings: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(…,) Whether embeddings (…, dim) have unit length; others, also NaN, have no distances."""
    lengths = np.einsum("...d,...d->...", embeddings, embeddings)
    return np.asarray(np.abs(lengths - 1) <= TOLERANCE)


def is_match(distance: float, threshold: float) -> bool:
    """Whether faces at this squared distance are one person; False where either is NaN."""
    return 0 <= distance <= threshold


class Match(NamedTuple):
    """A person, and the squared distance, 0 to 4, to the nearest of their photos."""

    name: str
    distance: float


class Enrolled:
    """The faces of a gallery in memory, immutable.

    `embeddings` (n, dim) are unit vectors, those of a person adjacent, and `offsets` (people + 1,)
    say where each person begins. ValueError for an embedding that is not a unit vector.
    """

    def __init__(
        self, names: Sequence[str], embeddings: NDArray[np.float32], offsets: NDArray[np.int64]
    ) -> None:
        if not is_unit(embeddings).all():
            raise ValueError("an enrolled embedding is not of unit length")
        self.names = tuple(names)
        # (dim, n): in this layout the product reads memory sequentially.
        self._columns = np.ascontiguousarray(embeddings.T)
        self._offsets, self._ends = offsets[:-1], offsets[1:]

    def __len__(self) -> int:
        """The number of faces."""
        return int(self._columns.shape[1])

    def only(self, name: str) -> "Enrolled":
        """One of the people alone, for a comparison 1:1; ValueError for somebody else."""
        if name not in self.names:
            raise ValueError(f"{name} is not enrolled")
        place = self.names.index(name)
        own = self._columns[:, self._offsets[place] : self._ends[place]].T
        return Enrolled([name], own, np.array([0, len(own)]))

    def nearest(self, embedding: NDArray[np.float32], *, people: int) -> list[Match]:
        """The nearest people, nearest first; fewer where the gallery has fewer.

        Empty for an embedding (dim,) that is not a unit vector. For unit vectors
        |a - b|² = 2 - 2 a·b; it is cut off at 0 against rounding.
        """
        if not (self.names and is_unit(embedding)):
            return []
        similarity = np.maximum.reduceat(embedding @ self._columns, self._offsets)  # (people,)
        count = min(people, len(self.names))
        best = np.argpartition(-similarity, count - 1)[:count]
        best = best[np.argsort(-similarity[best], kind="stable")]
        return [Match(self.names[i], max(0.0, 2 - 2 * float(similarity[i]))) for i in best]
