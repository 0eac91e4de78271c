"""What miners return: the chosen triplets of a batch, and how a loss is taken over them."""

from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import KerasTensor, ops

from tripletlab.triplets.losses import mean_where

Loss = Callable[..., KerasTensor]  # see tripletlab.triplets.losses
CHUNK = 1 << 24  # triplets that are laid out at once: 64 MiB in float32


class Measured(NamedTuple):
    """Three scalars: a batch's mean loss, and which part of it was kept and active.

    `kept` is the fraction of pairs that found a negative, `active` of pairs (for Every: of
    triplets) whose loss is above zero; all three are 0 where there is no pair.
    """

    loss: KerasTensor
    kept: KerasTensor
    active: KerasTensor


class Mined(NamedTuple):
    """One triplet for each pair that found a negative, laid out by anchor (row) and positive."""

    negatives: KerasTensor  # (batch, batch) int: batch index of the negative; 0 where not kept
    pairs: KerasTensor  # (batch, batch) bool: the anchor-positive pairs that the miner looked at
    kept: KerasTensor  # (batch, batch) bool: the pairs that found a valid negative

    def measure(
        self, distances: KerasTensor, *, loss: Loss, margin: KerasTensor | float
    ) -> Measured:
        """The mean loss of the kept triplets, with gradient through the distances."""
        negatives = ops.take_along_axis(distances, self.negatives, axis=1)  # (batch, batch)
        losses = loss(distances, negatives, margin=margin)
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
        """The mean loss of the active triplets, with gradient through the distances.

        Anchors go by in chunks of at most CHUNK triplets; where that needs several, what lies
        between is computed again for the gradient instead of kept.
        """

        def part(rows: KerasTensor, pairs: KerasTensor, negatives: KerasTensor) -> KerasTensor:
            losses = loss(rows[:, :, None], rows[:, None, :], margin=margin)
            valid = pairs[:, :, None] * negatives[:, None, :] > 0
            active = ops.logical_and(valid, losses > 0)  # (rows, batch, batch)
            counts = [ops.sum(ops.cast(one, losses.dtype)) for one in (active, valid)]
            return ops.stack([ops.sum(ops.where(active, losses, 0.0)), *counts])

        batch = distances.shape[0]
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
    """How many are chosen of so many; 0 of none."""
    count = ops.sum(ops.cast(chosen, "float32"))
    return count / ops.maximum(ops.sum(ops.cast(of, "float32")), 1.0)
