"""The pairs of a batch, and each anchor's negatives in order, in O(batch²) memory."""

import keras
from keras import KerasTensor, ops

from tripletlab.triplets.sorting import ascending

LARGEST = 1 << 16  # assumed batch size where the graph does not know it


def negative_pairs(labels: KerasTensor) -> KerasTensor:
    """(batch, batch) bool from labels (batch,): two different identities."""
    return ops.not_equal(labels[:, None], labels[None, :])


def positive_pairs(labels: KerasTensor) -> KerasTensor:
    """(batch, batch) bool from labels (batch,): one identity, the anchor (row) before the other."""
    position = ops.arange(ops.shape(labels)[0])
    return ops.logical_and(
        ops.equal(labels[:, None], labels[None, :]), position[:, None] < position[None, :]
    )


def one_positive(distances: KerasTensor, labels: KerasTensor, *, farthest: bool) -> KerasTensor:
    """(batch, batch) bool: every face is an anchor, paired with its farthest or nearest positive.

    Of equal distances the first in the batch is taken. An anchor without a positive at a finite
    distance has no pair.
    """
    position = ops.arange(ops.shape(labels)[0])
    positives = ops.logical_and(
        ops.equal(labels[:, None], labels[None, :]), position[:, None] != position[None, :]
    )
    positives = ops.logical_and(positives, ops.isfinite(distances))
    sign = -1.0 if farthest else 1.0
    ranked = ops.where(positives, sign * distances, float("inf"))
    chosen = ops.argmin(ranked, axis=1)  # (batch,)
    return ops.logical_and(positives, ops.equal(position[None, :], chosen[:, None]))


def sorted_negatives(
    distances: KerasTensor, labels: KerasTensor
) -> tuple[KerasTensor, KerasTensor]:
    """Each anchor's distances to its negatives in ascending order, and their batch indices.

    Both are (batch, batch); the places of faces that are no negatives, or at a distance that is
    not finite, come last with an infinite distance.
    """
    usable = ops.logical_and(negative_pairs(labels), ops.isfinite(distances))
    candidates = ops.where(usable, distances, float("inf"))
    return ascending(candidates)


class Everywhere:
    """All places of a (rows, columns) matrix: of use for backends that want shapes which do not
    depend on values. `Places` has the contract."""

    def values(self, matrix: KerasTensor) -> KerasTensor:
        return matrix

    def along(self, matrix: KerasTensor, columns: KerasTensor) -> KerasTensor:
        return ops.take_along_axis(matrix, columns, axis=1)

    def matrix(self, values: KerasTensor) -> KerasTensor:
        return values


class Places:
    """The places of a (rows, columns) matrix where a mask is true, in the order of its rows."""

    def __init__(self, mask: KerasTensor) -> None:
        self.shape = ops.shape(mask)
        self.row, self.column = ops.nonzero(mask)

    def values(self, matrix: KerasTensor) -> KerasTensor:
        """What a matrix of this shape has at the places, (places,)."""
        return self.along(matrix, self.column)

    def along(self, matrix: KerasTensor, columns: KerasTensor) -> KerasTensor:
        """What the row of each place has in other columns; `matrix` (rows, n), `columns` and the
        result (places,)."""
        flat, start = ops.reshape(matrix, (-1,)), self.row * ops.shape(matrix)[1]
        return ops.take(flat, start + columns)

    def matrix(self, values: KerasTensor) -> KerasTensor:
        """Values (places,) in a matrix of this shape, which is 0 elsewhere."""
        return ops.scatter(ops.stack([self.row, self.column], axis=1), values, self.shape)


def places(mask: KerasTensor) -> Places | Everywhere:
    """Where to compute what is needed at the places of a mask (rows, columns) alone."""
    if keras.backend.backend() == "tensorflow":
        return Places(mask)
    return Everywhere()


def count_below(
    ascending: KerasTensor,
    queries: KerasTensor,
    *,
    inclusive: bool,
    at: Places | Everywhere,
) -> KerasTensor:
    """Count, row by row, the entries below each query (`inclusive`: or equal to it).

    `ascending` (rows, n) is sorted along its rows, and `queries` are the values `at` places; int32
    of their shape. An unrolled binary search, since keras.ops.searchsorted takes a single row.
    """
    below = ops.less_equal if inclusive else ops.less
    known = ascending.shape[1]
    size = ops.shape(ascending)[1]
    count = ops.zeros_like(queries, dtype="int32")
    bits = LARGEST.bit_length() if known is None else known.bit_length()
    for step in [1 << bit for bit in reversed(range(bits))]:
        probe = count + step
        found = at.along(ascending, ops.minimum(probe, size) - 1)
        advance = ops.logical_and(probe <= size, below(found, queries))
        count = ops.where(advance, probe, count)
    return count
