"""Losses of single triplets, and their mean over the kept ones."""

from keras import KerasTensor, ops


def hinge(
    positive: KerasTensor, negative: KerasTensor, *, margin: KerasTensor | float
) -> KerasTensor:
    """max(0, d(a,p) - d(a,n) + margin), element by element (paper, equation 2, with the hinge that
    its text means)."""
    return ops.relu(positive - negative + margin)


def mean_where(values: KerasTensor, chosen: KerasTensor) -> KerasTensor:
    """Mean of the chosen values, a scalar; 0 (with zero gradient) when none is chosen."""
    weights = ops.cast(chosen, values.dtype)
    return ops.sum(ops.where(chosen, values, 0.0)) / ops.maximum(ops.sum(weights), 1.0)
