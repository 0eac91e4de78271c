"""Squared Euclidean distances between the embeddings of a batch."""

from keras import KerasTensor, ops


def squared_distances(embeddings: KerasTensor) -> KerasTensor:
    """Return the distance of every embedding to every other.

    `embeddings` (batch, dim) gives (batch, batch), between 0 and 4 on the unit hypersphere. The
    matrix product can leave a tiny negative number where two embeddings coincide; it becomes 0.
    """
    squares = ops.sum(ops.square(embeddings), axis=1)  # (batch,)
    products = ops.matmul(embeddings, ops.transpose(embeddings))  # (batch, batch)
    return ops.maximum(squares[:, None] - 2 * products + squares[None, :], 0.0)
