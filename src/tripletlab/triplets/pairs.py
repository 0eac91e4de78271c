"""The pairs of a batch, and each anchor's negatives in order, in O(batch²) memory."""

from collections.abc import Callable

import keras
from keras import KerasTensor, ops

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
    order = ops.argsort(candidates, axis=1)
    return ops.take_along_axis(candidates, order, axis=1), order


def count_below(
    ascending: KerasTensor, queries: KerasTensor, *, inclusive: bool, where: KerasTensor
) -> KerasTensor:
    """Count, row by row, the entries below each query (`inclusive`: or equal to it).

    `ascending` (rows, n), sorted along its rows, and `queries` (rows, m) give (rows, m) int32. Only
    the counts at the places of `where` (rows, m), bool, are of use: TensorFlow computes no others,
    and gives 0 there.
    """
    if keras.backend.backend() != "tensorflow":  # others want shapes that do not depend on values

        def entry(probe: KerasTensor) -> KerasTensor:
            return ops.take_along_axis(ascending, probe, axis=1)

        return _bisected(ascending, entry, queries, inclusive=inclusive)
    row, column = ops.nonzero(where)
    flat, start = ops.reshape(ascending, (-1,)), row * ops.shape(ascending)[1]
    wanted = ops.take(ops.reshape(queries, (-1,)), row * ops.shape(queries)[1] + column)
    count = _bisected(
        ascending, lambda probe: ops.take(flat, start + probe), wanted, inclusive=inclusive
    )
    return ops.scatter(ops.stack([row, column], axis=1), count, ops.shape(queries))


def _bisected(
    ascending: KerasTensor,
    entry: Callable[[KerasTensor], KerasTensor],
    queries: KerasTensor,
    *,
    inclusive: bool,
) -> KerasTensor:
    """The counts for queries of any shape; `entry` takes the places in each one's row.

    An unrolled binary search, since keras.ops.searchsorted takes a single row.
    """
    below = ops.less_equal if inclusive else ops.less
    known = ascending.shape[1]
    size = ops.shape(ascending)[1]
    count = ops.zeros_like(queries, dtype="int32")
    bits = LARGEST.bit_length() if known is None else known.bit_length()
    for step in [1 << bit for bit in reversed(range(bits))]:
        probe = count + step
        found = entry(ops.minimum(probe, size) - 1)
        advance = ops.logical_and(probe <= size, below(found, queries))
        count = ops.where(advance, probe, count)
    return count
