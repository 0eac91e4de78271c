"""The search for the nearest people: one embedding against all enrolled, as a matrix product."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tripletlab.recognition.names import is_name

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

    @classmethod
    def read(cls, rows: Sequence[tuple[Any, Any]], *, dim: int) -> "Enrolled":
        """Names and the bytes of their embeddings (dim,), in any order, which may be damaged.

        Somebody without an embedding is left out. ValueError for a damaged name or embedding.
        """
        if not all(is_name(name) for name, _ in rows):
            raise ValueError("a name in it is damaged")
        rows = sorted((row for row in rows if row[1] not in (None, b"")), key=itemgetter(0))
        for name, embedding in rows:
            if not isinstance(embedding, bytes) or len(embedding) != 4 * dim:
                raise ValueError(f"an embedding of {name} is damaged")
        names, counts = np.unique([name for name, _ in rows], return_counts=True)
        flat = np.frombuffer(b"".join(embedding for _, embedding in rows), np.float32)
        return cls(names.tolist(), flat.reshape(-1, dim), _offsets(counts))

    def __len__(self) -> int:
        """The number of faces."""
        return int(self._columns.shape[1])

    def only(self, *names: str) -> "Enrolled":
        """Some of the people alone, as for a comparison 1:1; ValueError for somebody else."""
        for name in names:
            if name not in self.names:
                raise ValueError(f"{name} is not enrolled")
        places = [self.names.index(name) for name in names]
        own = [np.arange(self._offsets[place], self._ends[place]) for place in places]
        columns = np.concatenate([*own, np.arange(0)])
        return Enrolled(names, self._columns[:, columns].T, _offsets([*map(len, own)]))

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


def _offsets(counts: ArrayLike) -> NDArray[np.int64]:
    """(people + 1,) Where each person begins, from the numbers of their photos (people,)."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
