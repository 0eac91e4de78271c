"""Table I row by row, and what every network owes: unit embeddings of faces 0 to 255."""

import numpy as np
import pytest

from tripletlab import config
from tripletlab.architectures.nn4_small2 import nn4_small2_half

TABLE_I = {  # row -> (output shape without the batch, parameters)
    "conv1": ((32, 32, 32), 1_600),
    "pool1": ((16, 16, 32), 0),
    "conv2": ((16, 16, 32), 1_056),
    "conv3": ((16, 16, 96), 27_744),
    "pool2": ((8, 8, 96), 0),
    "3a": ((8, 8, 128), 41_016),
    "3b": ((8, 8, 160), 57_056),
    "3c": ((4, 4, 320), 99_568),
    "4a": ((4, 4, 320), 136_576),
    "4e": ((2, 2, 512), 179_504),
    "5a": ((2, 2, 368), 198_048),
    "5b": ((2, 2, 368), 165_792),
    "average_pool": ((368,), 0),
    "embedding": ((128,), 47_232),
}
NAMES = list(config.groups()["architecture"])


@pytest.fixture(scope="module")
def table_network():
    return nn4_small2_half(input_size=64, embedding_dim=128)


@pytest.mark.parametrize("row", TABLE_I)
def test_table_one(table_network, row):
    shape, parameters = TABLE_I[row]
    own = [
        layer
        for layer in table_network.layers
        if layer.name == row or layer.name.startswith(f"{row}_")
    ]
    assert sum(layer.count_params() for layer in own) == parameters
    assert table_network.get_layer(row).output.shape[1:] == shape


def test_parameters_in_all(table_network):
    assert table_network.count_params() == sum(count for _, count in TABLE_I.values()) == 955_192


@pytest.mark.parametrize("name", NAMES)
def test_faces_become_unit_embeddings(name):
    composed = config.compose("train", [f"architecture={name}"])
    network = config.build(composed.config, "architecture", input_size=64)
    faces = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 1)).astype(np.float32)
    embeddings = np.asarray(network(faces))
    assert embeddings.shape == (3, 128)
    np.testing.assert_allclose((embeddings**2).sum(axis=1), 1, atol=1e-5)
    assert np.ptp(embeddings, axis=0).max() > 1e-3  # different faces, different places


def test_a_black_face_has_a_finite_gradient(table_network):
    """L2 pooling takes a root, whose slope at zero would be infinite."""
    import tensorflow

    with tensorflow.GradientTape() as tape:
        out = table_network(np.full((1, 64, 64, 1), 127.5, np.float32))[0, 0]
    for gradient in tape.gradient(out, table_network.trainable_variables):
        assert np.isfinite(gradient).all()
