"""Test-time flip: a face and its mirror image as one embedding."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Faces = NDArray[np.uint8]  # (n, size, size)
Embeddings = NDArray[np.float32]  # (n, dim), unit length
Embed = Callable[[Faces], Embeddings]


def flipped(embed: Embed, faces: Faces) -> Embeddings:
    """Embed each face and its mirror image: the direction of the sum of both embeddings.

    `faces` (n, size, size) in 0 to 255 give (n, dim) of unit length. Where the two embeddings are
    opposite, their sum has no direction; the face's own is returned.
    """
    own = embed(faces)
    total = own + embed(np.ascontiguousarray(faces[:, :, ::-1]))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 1e-6, total / np.maximum(length, 1e-6), own)
