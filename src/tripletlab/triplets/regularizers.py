"""Regularizers: terms added to the loss for a whole batch, beside its triplets.

The contract: `regularizer(distances, labels, dim=…)` -> scalar, from the squared distances
(batch, batch) of unit embeddings in `dim` dimensions, and their labels (batch,).
"""

from typing import Annotated

from keras import KerasTensor, ops
from pydantic import Field

from tripletlab.triplets.losses import mean_where
from tripletlab.triplets.pairs import negative_pairs


def none(distances: KerasTensor, labels: KerasTensor, *, dim: int) -> KerasTensor:
    """0: the paper's loss alone."""
    return ops.zeros((), distances.dtype)


def spread(
    distances: KerasTensor,
    labels: KerasTensor,
    *,
    dim: int,
    weight: Annotated[float, Field(gt=0, le=100)],
) -> KerasTensor:
    """Spread-out regularization: different identities like random points on the sphere.

    The inner products of these have mean 0 and mean square 1/dim; the squared mean, and the excess
    of the mean square over 1/dim, are penalised (Zhang et al., Learning Spread-out Local Feature
    Descriptors, ICCV 2017). Hard negatives alone pull all embeddings into one point: the loss of
    each kept triplet is above the margin and shrinks with all distances. At least 0; 0 in a batch
    of one identity.
    """
    different = negative_pairs(labels)
    products = 1 - distances / 2  # (batch, batch) of unit vectors
    mean = mean_where(products, different)
    mean_square = mean_where(ops.square(products), different)
    return weight * (ops.square(mean) + ops.relu(mean_square - 1 / dim))
