"""Test-time flip against its formula, and where it could go wrong."""

import numpy as np

from tripletlab.evaluation.flip import flipped


def embed(faces):
    """The left half's first pixels as a direction."""
    left = faces[:, 0, :2].astype(np.float32)
    return left / np.linalg.norm(left, axis=1, keepdims=True)


def test_it_is_the_direction_of_the_sum_and_the_same_for_the_mirror_image() -> None:
    faces = np.random.default_rng(0).integers(1, 255, (7, 4, 4), np.uint8)
    got = flipped(embed, faces)
    for face, embedding in zip(faces, got, strict=True):
        total = embed(face[None])[0] + embed(face[None, :, ::-1])[0]
        np.testing.assert_allclose(embedding, total / np.linalg.norm(total), rtol=1e-5)
    np.testing.assert_allclose(flipped(embed, faces[:, :, ::-1]), got, rtol=1e-5)


def test_opposite_embeddings_leave_the_faces_own() -> None:
    faces = np.zeros((1, 1, 2), np.uint8)
    faces[0, 0, 0] = 255

    def opposite(some):
        return np.where(some[:, 0, :1] > 0, [[1.0, 0.0]], [[-1.0, 0.0]]).astype(np.float32)

    assert flipped(opposite, faces).tolist() == [[1, 0]]
