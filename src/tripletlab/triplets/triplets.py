"""What miners return: the chosen triplets of a batch, and the mean loss over them."""

from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import KerasTensor, ops

from tripletlab.triplets.losses import mean_where
from tripletlab.triplets.pairs import places

Loss = Callable[..., KerasTensor]  # see tripletlab.triplets.losses
CHUNK = 1 << 24  # triplets in memory at once: 64 MiB in float32


class Measured(NamedTuple):
    """Three scalars: a batch's mean loss, and the fractions of kept and of active triplets.

    `kept`, 0 to 1, is the fraction of pairs with a negative; `active` that of pairs (for Every: of
    triplets) whose loss is above 0. All three are 0 without pairs.
    """

    loss: KerasTensor
    kept: KerasTensor
    active: KerasTensor


class Mined(NamedTuple):
    """One triplet for each pair with a negative, by anchor (row) and positive (column)."""

    negatives: KerasTensor  # (batch, batch) int: the negative's batch index; 0 where not kept
    pairs: KerasTensor  # (batch, batch) bool: the anchor-positive pairs considered
    kept: KerasTensor  # (batch, batch) bool: the pairs with a valid negative

    def measure(
        self, distances: KerasTensor, *, loss: Loss, margin: KerasTensor | float
    ) -> Measured:
        """The mean loss of the kept triplets, differentiable in the distances (batch, batch)."""
        at = places(self.kept)
        negatives = at.along(distances, at.values(self.negatives))
        losses = at.matrix(loss(at.values(distances), negatives, margin=margin))  # (batch, batch)
        active = ops.logical_and(self.kept, losses > 0)
        return Measured(
            mean_where(losses, self.kept),
            fraction(self.kept, of=self.pairs),
            fraction(active, of=self.pairs),
        )


class Every(NamedTuple):
    """Every pair with every negative of its anchor."""

    pairs: KerasTensor  # (batch, batch) bool
    negatives: KerasTensor  # (batch, batch) bool, by anchor (row)

    def measure(
        self, distances: KerasTensor, *, loss: Loss, margin: KerasTensor | float
    ) -> Measured:
        """The mean loss of the active triplets, differentiable in the distances (batch, batch).

        Anchors are processed in chunks of at most CHUNK triplets; where there are several, their
        intermediate values are computed again for the gradient instead of stored. A batch whose
        size the graph does not know is one chunk.
        """

        def part(rows: KerasTensor, pairs: KerasTensor, negatives: KerasTensor) -> KerasTensor:
            losses = loss(rows[:, :, None], rows[:, None, :], margin=margin)
            valid = pairs[:, :, None] * negatives[:, None, :] > 0
            active = ops.logical_and(valid, losses > 0)  # (rows, batch, batch)
            counts = [ops.sum(ops.cast(one, losses.dtype)) for one in (active, valid)]
            return ops.stack([ops.sum(ops.where(active, losses, 0.0)), *counts])

        batch = distances.shape[0] or 1  # where the graph does not know it: a single chunk
        rows = max(1, CHUNK // batch**2)
        part = part if rows >= batch else keras.remat(part)
        starts = range(0, batch, rows)
        masks = [ops.cast(one, distances.dtype) for one in self]  # remat takes no booleans
        chunks = [[one[start : start + rows] for one in (distances, *masks)] for start in starts]
        total, active, valid = ops.unstack(sum(part(*chunk) for chunk in chunks))
        kept = ops.logical_and(self.pairs, ops.any(self.negatives, axis=1, keepdims=True))
        return Measured(
            total / ops.maximum(active, 1.0),
            fraction(kept, of=self.pairs),
            active / ops.maximum(valid, 1.0),
        )


def fraction(chosen: KerasTensor, *, of: KerasTensor) -> KerasTensor:
    """The number of `chosen` over that of `of`, both bool; 0 where `of` has none."""
    count = ops.sum(ops.cast(chosen, "float32"))
    return count / ops.maximum(ops.sum(ops.cast(of, "float32")), 1.0)
