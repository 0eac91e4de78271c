"""Faces to embeddings, of any number of faces."""

import numpy as np
import pytest

from tests.training.fits import small_network
from tripletlab.errors import InputError
from tripletlab.training import backend
from tripletlab.training.inference import BATCH, embed, images_per_second


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


def test_embedding_in_batches_is_embedding_one_by_one():
    backend.start(seed=1)
    faces = np.random.default_rng(0).integers(0, 256, (300, 32, 32)).astype(np.uint8)
    embedder = small_network()
    embedded = embed(embedder, faces)
    assert embedded.shape == (300, 16)
    assert embedded.dtype == np.float32
    alone = np.asarray(embedder(faces[271:272, ..., None].astype(np.float32)))
    np.testing.assert_allclose(embedded[271:272], alone, atol=1e-5)
    assert 0 < images_per_second(embedder, faces[:3]) < float("inf")
