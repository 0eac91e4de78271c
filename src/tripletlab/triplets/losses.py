"""Losses of single triplets, and their mean over the kept ones."""

from keras import KerasTensor, ops


def hinge(
    positive: KerasTensor, negative: KerasTensor, *, margin: KerasTensor | float
) -> KerasTensor:
    """max(0, d(a,p) - d(a,n) + margin), element by element (paper, equation 2, with the hinge that
    its text means)."""
    return ops.relu(positive - negative + margin)


def softplus(
    positive: KerasTensor, negative: KerasTensor, *, margin: KerasTensor | float
) -> KerasTensor:
    """ln(1 + exp(d(a,p) - d(a,n) + margin)), element by element: a hinge without a corner.

    It is above zero for every triplet, so all kept ones are active. Hermans et al. (2017) leave the
    margin out.
    """
    return ops.softplus(positive - negative + margin)


def mean_where(values: KerasTensor, chosen: KerasTensor) -> KerasTensor:
    """Mean of the chosen values, a scalar; 0 (with zero gradient) when none is chosen."""
    weights = ops.cast(chosen, values.dtype)
    return ops.sum(ops.where(chosen, values, 0.0)) / ops.maximum(ops.sum(weights), 1.0)
