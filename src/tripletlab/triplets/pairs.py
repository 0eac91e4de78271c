"""The pairs of a batch, and the order of an anchor's negatives, in O(batch²) memory."""

from keras import KerasTensor, ops

LARGEST = 1 << 16  # a batch whose size the graph does not know


def negative_pairs(labels: KerasTensor) -> KerasTensor:
    """(batch, batch) bool: the two faces show different identities."""
    return ops.not_equal(labels[:, None], labels[None, :])


def positive_pairs(labels: KerasTensor) -> KerasTensor:
    """(batch, batch) bool: one identity, and the anchor (row) comes first in the batch."""
    position = ops.arange(ops.shape(labels)[0])
    return ops.logical_and(
        ops.equal(labels[:, None], labels[None, :]), position[:, None] < position[None, :]
    )


def one_positive(distances: KerasTensor, labels: KerasTensor, *, farthest: bool) -> KerasTensor:
    """(batch, batch) bool: every face is an anchor, paired with its farthest or nearest positive.

    Of equally far ones it is the first in the batch; an anchor without a positive has no pair.
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
    """Each anchor's distances to its negatives, ascending and then infinite, and whose they are.

    A distance that is not a number is no negative's.
    """
    usable = ops.logical_and(negative_pairs(labels), ops.isfinite(distances))
    candidates = ops.where(usable, distances, float("inf"))
    order = ops.argsort(candidates, axis=1)
    return ops.take_along_axis(candidates, order, axis=1), order


def count_below(ascending: KerasTensor, queries: KerasTensor, *, inclusive: bool) -> KerasTensor:
    """Count, row by row, the entries below each query (`inclusive`: or equal to it).

    `ascending` (rows, n) sorted along its rows, `queries` (rows, m) -> (rows, m) int32. A binary
    search whose steps are unrolled: keras.ops.searchsorted knows only one row.
    """
    below = ops.less_equal if inclusive else ops.less
    known = ascending.shape[1]
    size = ops.shape(ascending)[1]
    count = ops.zeros_like(queries, dtype="int32")
    bits = LARGEST.bit_length() if known is None else known.bit_length()
    for step in [1 << bit for bit in reversed(range(bits))]:
        probe = count + step
        entry = ops.take_along_axis(ascending, ops.minimum(probe, size) - 1, axis=1)
        advance = ops.logical_and(probe <= size, below(entry, queries))
        count = ops.where(advance, probe, count)
    return count
