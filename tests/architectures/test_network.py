"""What every network owes, whatever its table, size and style."""

import keras
import numpy as np
import pytest
import tensorflow

from tests.architectures.networks import DISTINCT, build
from tripletlab import config
from tripletlab.architectures.network import face_input
from tripletlab.errors import InputError


@pytest.mark.parametrize("size", [32, 64, 96, 128])
@pytest.mark.parametrize("name", DISTINCT)
def test_every_network_at_every_size(name, size):
    """Shape, unit norm, different faces at different places, finite gradients everywhere."""
    made = build(name, size=size, width=0.25, embedding_dim=16)
    faces = np.random.default_rng(0).integers(0, 256, (3, size, size, 1)).astype(np.float32)
    faces[0] = 127.5  # zeros after scaling, where the slope of a root would be infinite
    with tensorflow.GradientTape() as tape:
        embeddings = made(faces, training=True)
        total = tensorflow.reduce_sum(embeddings[:, 0])
    gradients = tape.gradient(total, [one.value for one in made.trainable_variables])
    assert embeddings.shape == (3, 16)
    np.testing.assert_allclose((embeddings**2).numpy().sum(axis=1)[1:], 1, atol=1e-5)
    assert np.ptp(embeddings, axis=0).max() > 1e-3
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert sum(np.abs(gradient).max() > 0 for gradient in gradients) > len(gradients) / 3


@pytest.mark.parametrize("name", DISTINCT)
def test_a_saved_network_is_the_same_network(name, tmp_path):
    made = build(name, size=32, width=0.25, batch_norm=True, pool="l2")
    faces = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1)).astype(np.float32)
    made.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(faces), made(faces))


@pytest.mark.parametrize("name", DISTINCT)
def test_the_style_holds_for_every_network(name):
    plain = build(name, size=32, width=0.25)
    wide = build(name, size=32, width=0.5)
    assert 2 < wide.count_params() / plain.count_params() < 4
    normalised = build(name, size=32, width=0.25, batch_norm=True, pool="average")
    kinds = [type(layer).__name__ for layer in normalised.layers]
    assert kinds.count("BatchNormalization") == kinds.count("Conv2D")
    assert "MaxPooling2D" not in kinds
    assert not any(
        one.use_bias for one in normalised.layers if isinstance(one, keras.layers.Conv2D)
    )


def test_black_is_minus_one_and_white_one():
    scaled = keras.Model(*face_input(size=2))(np.float32([[0, 51], [127.5, 255]])[None, ..., None])
    np.testing.assert_allclose(np.ravel(scaled), [-1, -0.6, 0, 1], atol=1e-6)


@pytest.mark.parametrize("size", [31, 257])
def test_a_size_that_no_network_takes_is_refused(size):
    with pytest.raises(InputError, match=rf"32 to 256 pixels a side, and these have {size}"):
        build("simple_cnn", size=size)


@pytest.mark.parametrize("name", ["simple_cnn", "nn4_small2_half", "resnet"])  # every kind of row
def test_in_bfloat16_weights_and_embeddings_stay_float32(name):
    exact = build(name, size=32, width=0.25, batch_norm=True)
    overrides = ["dtype=mixed_bfloat16", "architecture.width=0.25"]
    composed = config.compose(
        "train", [f"architecture={name}", "architecture.batch_norm=true", *overrides]
    )
    rough = composed.architecture.build(input_size=32)
    rough.set_weights(exact.get_weights())
    faces = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1)).astype(np.float32)
    embeddings = rough(faces)
    assert embeddings.dtype == "float32"
    assert {variable.dtype for variable in rough.trainable_variables} == {"float32"}
    assert rough.layers[-3].compute_dtype == "bfloat16"
    difference = np.abs(embeddings - exact(faces)).max()
    assert 0 < difference < 0.05
    np.testing.assert_allclose((embeddings**2).numpy().sum(axis=1), 1, atol=1e-5)
    assert keras.config.dtype_policy().name == "float32"
