"""Miners: choose ONE negative for every anchor-positive pair of a batch (paper, section II.B).

The contract of a miner: `miner(distances, labels, margin=…, draws=…) -> Mined`

- `distances` (batch, batch) float: squared, without gradient; `labels` (batch,) int.
- `draws` (batch, batch) float in [0, 1): the randomness, so that a miner itself is pure.
- Every unordered pair of one identity is a pair; its anchor is the lower batch index.
- All inequalities are strict: a tie is of neither kind.
- A pair without a valid negative is not kept.
- Shapes depend on the batch size alone; memory is O(batch²).
- One identity, one photo each, coincident embeddings: nothing is kept, nothing fails.

Each kind of negative is a range of the anchor's negatives in the order of their distance, so a
uniform choice among the valid ones needs two ranks and one draw, and never a (batch, batch, batch).
"""

from typing import NamedTuple

from keras import KerasTensor, ops


class Mined(NamedTuple):
    """The chosen triplets, laid out by anchor (row) and positive (column)."""

    negatives: KerasTensor  # (batch, batch) int: batch index of the negative; 0 where not kept
    pairs: KerasTensor  # (batch, batch) bool: every anchor-positive pair
    kept: KerasTensor  # (batch, batch) bool: the pairs that found a valid negative


def semihard(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Mined:
    """Negatives beyond the positive, but within the margin: d(a,p) < d(a,n) < d(a,p) + margin."""
    nearest_first, order = _sorted_negatives(distances, labels)
    start = count_below(nearest_first, distances, inclusive=True)
    stop = count_below(nearest_first, distances + margin, inclusive=False)
    return _draw(labels, order, start, stop, draws)


def hard(
    distances: KerasTensor, labels: KerasTensor, *, margin: KerasTensor | float, draws: KerasTensor
) -> Mined:
    """Negatives nearer than the positive: d(a,n) < d(a,p). The margin plays no part."""
    nearest_first, order = _sorted_negatives(distances, labels)
    stop = count_below(nearest_first, distances, inclusive=False)
    return _draw(labels, order, ops.zeros_like(stop), stop, draws)


def negative_pairs(labels: KerasTensor) -> KerasTensor:
    """(batch, batch) bool: the two faces show different identities."""
    return ops.not_equal(labels[:, None], labels[None, :])


def positive_pairs(labels: KerasTensor) -> KerasTensor:
    """(batch, batch) bool: one identity, and the anchor (row) comes first in the batch."""
    position = ops.arange(ops.shape(labels)[0])
    return ops.logical_and(
        ops.equal(labels[:, None], labels[None, :]), position[:, None] < position[None, :]
    )


def count_below(ascending: KerasTensor, queries: KerasTensor, *, inclusive: bool) -> KerasTensor:
    """Count, row by row, the entries below each query (`inclusive`: or equal to it).

    `ascending` (rows, n) sorted along its rows, `queries` (rows, m) -> (rows, m) int32. A binary
    search whose steps are unrolled: keras.ops.searchsorted knows only one row.
    """
    below = ops.less_equal if inclusive else ops.less
    size = ascending.shape[1]
    count = ops.zeros_like(queries, dtype="int32")
    for step in [1 << bit for bit in reversed(range(size.bit_length()))]:
        probe = count + step
        entry = ops.take_along_axis(ascending, ops.minimum(probe, size) - 1, axis=1)
        advance = ops.logical_and(probe <= size, below(entry, queries))
        count = ops.where(advance, probe, count)
    return count


def _sorted_negatives(
    distances: KerasTensor, labels: KerasTensor
) -> tuple[KerasTensor, KerasTensor]:
    """Each anchor's distances to its negatives, ascending and then infinite, and whose they are."""
    candidates = ops.where(negative_pairs(labels), distances, float("inf"))
    order = ops.argsort(candidates, axis=1)
    return ops.take_along_axis(candidates, order, axis=1), order


def _draw(
    labels: KerasTensor,
    order: KerasTensor,
    start: KerasTensor,
    stop: KerasTensor,
    draws: KerasTensor,
) -> Mined:
    """Choose uniformly among ranks [start, stop) of each anchor's negatives."""
    valid = stop - start
    rank = start + ops.cast(draws * ops.cast(valid, draws.dtype), "int32")
    rank = ops.maximum(ops.minimum(rank, stop - 1), 0)  # a draw may round up to 1
    pairs = positive_pairs(labels)
    kept = ops.logical_and(pairs, valid > 0)
    negatives = ops.take_along_axis(order, rank, axis=1)
    return Mined(ops.where(kept, negatives, 0), pairs, kept)
