"""Losses of single triplets, and their mean over the kept ones.

The contract: `loss(positive, negative, margin=…)` -> the loss of each triplet, at least 0, from
squared distances that broadcast against each other; a triplet whose loss is above 0 is active.
"""

from keras import KerasTensor, ops


def hinge(
    positive: KerasTensor, negative: KerasTensor, *, margin: KerasTensor | float
) -> KerasTensor:
    """max(0, d(a,p) - d(a,n) + margin), element by element.

    `positive` and `negative` are squared distances that broadcast against each other, `margin` a
    scalar. This is equation 2 of the paper, with the hinge that its text describes.
    """
    return ops.relu(positive - negative + margin)


def softplus(
    positive: KerasTensor, negative: KerasTensor, *, margin: KerasTensor | float
) -> KerasTensor:
    """ln(1 + exp(d(a,p) - d(a,n) + margin)), element by element: a smooth hinge.

    Shapes as in `hinge`. It is above 0 for every triplet, so that all kept ones are active.
    Hermans et al. (2017), who call it the soft margin, omit `margin`.
    """
    return ops.softplus(positive - negative + margin)


def mean_where(values: KerasTensor, chosen: KerasTensor) -> KerasTensor:
    """The scalar mean of the chosen values (bool, same shape); 0 with zero gradient for none."""
    weights = ops.cast(chosen, values.dtype)
    return ops.sum(ops.where(chosen, values, 0.0)) / ops.maximum(ops.sum(weights), 1.0)
