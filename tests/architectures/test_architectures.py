"""Table I row by row, and what every network owes, whatever its table, size and style."""

import keras
import numpy as np
import pytest
import tensorflow

from tripletlab import config
from tripletlab.architectures import description, tables
from tripletlab.architectures.blocks import Style
from tripletlab.architectures.network import network
from tripletlab.architectures.operations import flops as all_flops
from tripletlab.architectures.rows import Conv, Inception
from tripletlab.errors import InputError

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
PLAIN = {
    "embedding_dim": 128,
    "width": 1.0,
    "batch_norm": False,
    "pool": None,
    "dtype": "float32",
}


def build(name, *, size, **changes):
    overrides = [f"architecture.{key}={value}" for key, value in changes.items()]
    composed = config.compose("train", [f"architecture={name}", *overrides])
    return composed.architecture.build(input_size=size)


@pytest.fixture(scope="module")
def table_network():
    return network(table=tables.nn4_small2(), input_size=64, **PLAIN)


def test_table_one(table_network):
    style = Style(1.0, batch_norm=False, pool=None)
    rows = description.describe(table_network, tables.nn4_small2(), style)
    assert {row.name: (row.output, row.parameters) for row in rows} == {
        **TABLE_I,
        "unit": ((128,), 0),
    }
    parameters, flops = description.total(rows)
    assert parameters == table_network.count_params() == 955_192
    assert flops == all_flops(table_network)
    conv1 = 2 * 7 * 7 * 32 * 32 * 32  # kernel, filters, places; one channel comes in
    assert rows[0].flops == conv1


@pytest.mark.parametrize("size", [32, 64, 96, 128])
@pytest.mark.parametrize("name", NAMES)
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


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_network_is_the_same_network(name, tmp_path):
    made = build(name, size=32, width=0.25, batch_norm=True, pool="l2")
    faces = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1)).astype(np.float32)
    made.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(faces), made(faces))


@pytest.mark.parametrize("name", NAMES)
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


def test_the_full_network_has_openfaces_filters():
    made = build("nn4_small2", size=64)
    assert made.get_layer("3a").output.shape[-1] == 256
    assert made.get_layer("5b").output.shape[-1] == 736


def test_factorizing_leaves_no_five_by_five_and_the_same_outputs():
    half = build("nn4_small2_half", size=64)
    factorized = build("nn4_small2_factorized", size=64)
    kernels = [one.kernel_size for one in factorized.layers if isinstance(one, keras.layers.Conv2D)]
    assert (5, 5) not in kernels
    assert len(kernels) == 5 + sum(isinstance(one, keras.layers.Conv2D) for one in half.layers)
    for module in ("3a", "3b", "3c", "4a", "4e", "5a", "5b"):
        shape = half.get_layer(module).output.shape
        assert factorized.get_layer(module).output.shape == shape
    assert tables.factorized([(5, 8)]) == [(3, 8), (3, 8)]


def test_table_three_names_its_kernels():
    kernels = {
        name: {
            kernel
            for row in getattr(tables, f"inception_{name}")().rows
            if isinstance(row, Inception)
            for branch in row.branches
            for kernel, _ in branch
        }
        for name in ("small3", "small5", "medium5", "medium7", "large7")
    }
    assert kernels == {
        "small3": {1, 3},
        "small5": {1, 5},
        "medium5": {1, 3, 5},
        "medium7": {1, 3, 7},
        "large7": {1, 3, 5, 7},
    }


def test_the_residual_network_is_deeper_with_as_many_parameters():
    deep, half = build("resnet", size=64), build("nn4_small2_half", size=64)
    convolutions = [layer for layer in deep.layers if layer.name[-2:] in ("_1", "_2")]
    assert len(convolutions) + 2 == 28  # with the first convolution and the dense layer
    assert 0.8 < deep.count_params() / half.count_params() < 1.2


def test_a_branch_is_any_list_of_convolutions():
    branches = [[(3, 4)], [(1, 2), (5, 3), (3, 6)], [(1, 1)]]
    rows = (Conv("first", 3, 8), Inception("mixed", branches, "average", 5, stride=2))
    made = network(table=tables.NetworkTable("own", rows), input_size=32, **PLAIN)
    assert made.get_layer("mixed").output.shape[1:] == (16, 16, 4 + 6 + 1 + 5)
    assert rows[1].text(Style(2.0, False, "max")) == (
        "3×3 8 · 1×1 4 → 5×5 6 → 3×3 12 · 1×1 2 · max pool → 1×1 10 /2"
    )
