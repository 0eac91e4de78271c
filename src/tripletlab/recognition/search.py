"""Who is nearest: all enrolled faces against one embedding, in a matrix product."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-3  # of a squared length: rounding in float32 stays a thousand times below it


def is_unit(embeddings: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which embeddings (…, dim) have unit length; all others, NaN too, have no distances."""
    lengths = np.einsum("...d,...d->...", embeddings, embeddings)
    return np.asarray(np.abs(lengths - 1) <= TOLERANCE)


def is_match(distance: float, threshold: float) -> bool:
    """Two faces at this squared distance are one person; False where either is not a number."""
    return 0 <= distance <= threshold


class Match(NamedTuple):
    """A person, and the squared distance of the nearest of their photos."""

    name: str
    distance: float


class Enrolled:
    """The faces of a gallery in memory; it does not change.

    `embeddings` (n, dim) are unit vectors, those of a person adjacent, and `offsets` (people + 1,)
    say where each begins. ValueError where one is not a unit vector.
    """

    def __init__(
        self, names: Sequence[str], embeddings: NDArray[np.float32], offsets: NDArray[np.int64]
    ) -> None:
        if not is_unit(embeddings).all():
            raise ValueError("an enrolled embedding is not of unit length")
        self.names = tuple(names)
        # (dim, n): so laid out, the product reads memory in the order in which it lies.
        self._columns = np.ascontiguousarray(embeddings.T)
        self._offsets = offsets[:-1]

    def __len__(self) -> int:
        """Faces."""
        return int(self._columns.shape[1])

    def nearest(self, embedding: NDArray[np.float32], *, people: int) -> list[Match]:
        """The nearest people, nearest first; fewer where the gallery has fewer.

        Nobody is near to an embedding that is not a unit vector. For those |a - b|² = 2 - 2 a·b;
        rounding may not take it below 0.
        """
        if not (self.names and is_unit(embedding)):
            return []
        likeness = np.maximum.reduceat(embedding @ self._columns, self._offsets)  # (people,)
        count = min(people, len(self.names))
        best = np.argpartition(-likeness, count - 1)[:count]
        best = best[np.argsort(-likeness[best], kind="stable")]
        return [Match(self.names[i], max(0.0, 2 - 2 * float(likeness[i]))) for i in best]
