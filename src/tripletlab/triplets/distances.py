"""Squared Euclidean distances between the embeddings of a batch."""

from keras import KerasTensor, ops


def squared_distances(embeddings: KerasTensor) -> KerasTensor:
    """The squared distance of every embedding to every other.

    `embeddings` (batch, dim) gives (batch, batch), 0 to 4 on the unit hypersphere, in float32: the
    difference of rounded squares and products would be 0.01 off in bfloat16. Coinciding embeddings
    have distance 0 but for rounding, some 1e-6; negative errors are cut off.
    """
    embeddings = ops.cast(embeddings, "float32")
    squares = ops.sum(ops.square(embeddings), axis=1)  # (batch,)
    products = ops.matmul(embeddings, ops.transpose(embeddings))  # (batch, batch)
    return ops.maximum(squares[:, None] - 2 * products + squares[None, :], 0.0)
