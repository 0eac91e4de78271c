"""Faces to embeddings, of any number of faces."""

import numpy as np
import pytest

from tests.training.test_checkpoint import small_network
from tripletlab.errors import InputError
from tripletlab.training.inference import BATCH, embed


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 3])
def test_every_face_has_its_embedding(count):
    network = small_network()
    size = network.input_shape[1]
    faces = np.random.default_rng(0).integers(0, 255, (count, size, size)).astype(np.uint8)
    embeddings = embed(network, faces)
    assert embeddings.shape == (count, network.output_shape[-1])
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    if count > 1:
        assert np.allclose(embeddings[-1:], embed(network, faces[-1:]), atol=1e-5)


def test_faces_of_another_size_are_refused():
    network = small_network()
    size = network.input_shape[1] + 1
    with pytest.raises(InputError, match=f"faces.size={network.input_shape[1]}"):
        embed(network, np.zeros((2, size, size), np.uint8))
