"""Operations against TensorFlow's profiler; what cannot be counted is not known, and never 0."""

import keras
import pytest
import tensorflow
from keras import layers, ops
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tests.config.test_conf import network_of_one_layer
from tripletlab import config
from tripletlab.architectures.operations import flops
from tripletlab.config import files, instantiate
from tripletlab.config.files import targets
from tripletlab.errors import InputError
from tripletlab.sweeping.plan import read_plan

KERNELS = ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "MatMul")


def profiled(network):
    """What TensorFlow's profiler says of the convolutions and matrix products of the graph."""
    faces = [tensorflow.TensorSpec((1, *one.shape[1:])) for one in network.inputs]
    traced = tensorflow.function(
        lambda *given: network(given[0] if len(given) == 1 else list(given))
    ).get_concrete_function(*faces)
    graph = convert_variables_to_constants_v2(traced).graph
    profiler = tensorflow.compat.v1.profiler
    wanted = profiler.ProfileOptionBuilder.float_operation()
    settings = profiler.ProfileOptionBuilder(wanted).with_empty_output().build()
    node, counts = profiler.profile(graph, options=settings, cmd="op"), {}
    while node.children:
        node = node.children[0]
        counts[node.name] = node.float_ops
    return sum(counts.get(kernel, 0) for kernel in KERNELS)


def of(*stack, shape=(16, 16, 4)):
    """The layers on top of each other."""
    given = features = keras.Input(shape)
    for layer in stack:
        features = layer(features)
    return keras.Model(given, features)


def inner():
    return of(layers.Conv2D(6, 3), layers.ReLU(), layers.GlobalAveragePooling2D(), layers.Dense(5))


def twice():
    """One network for both of two inputs."""
    shared = inner()
    given = [keras.Input((16, 16, 4)) for _ in range(2)]
    return keras.Model(given, layers.Concatenate()([shared(one) for one in given]))


COUNTED = {
    "strided": lambda: of(layers.Conv2D(8, 3, strides=2, padding="same")),
    "dilated": lambda: of(layers.Conv2D(8, 3, dilation_rate=2)),
    "depthwise": lambda: of(layers.DepthwiseConv2D(3, depth_multiplier=2)),
    "separable": lambda: of(layers.SeparableConv2D(8, 3, strides=2)),
    "transposed": lambda: of(layers.Conv2DTranspose(8, 3, strides=2, padding="same")),
    "dense on a picture": lambda: of(layers.Dense(5)),
    "one dimension": lambda: of(layers.Conv1D(8, 3, strides=2), shape=(32, 4)),
    "normalised": lambda: of(layers.Conv2D(4, 1), layers.BatchNormalization(), layers.PReLU()),
    "nested": lambda: of(inner(), layers.Dense(3)),
    "nested sequential": lambda: of(keras.Sequential([keras.Input((16, 16, 4)), inner()])),
    "nested and shared": twice,
    "a layer called twice": lambda: of(*[layers.Conv2D(4, 3, padding="same")] * 2),
}


@pytest.mark.parametrize("name", COUNTED)
def test_operations_are_those_of_the_profiler(name):
    network = COUNTED[name]()
    assert flops(network) == profiled(network) > 0


@pytest.mark.parametrize("name", config.groups()["architecture"])
def test_every_network_of_conf_has_the_operations_of_the_profiler(name):
    composed = config.compose("train", [f"architecture={name}", "architecture.width=0.5"])
    network = composed.architecture.build(input_size=64)
    assert flops(network) == profiled(network)


def test_groups_divide_the_operations():
    """The profiler does not know groups."""
    whole, halves = (of(layers.Conv2D(8, 3, groups=groups)) for groups in (1, 2))
    assert flops(whole) == 2 * flops(halves) == 2 * 3 * 3 * 4 * 8 * 14 * 14


def test_channels_first_has_the_places_behind_the_channels():
    first = of(layers.Conv2D(8, 3, data_format="channels_first"), shape=(4, 16, 16))
    assert flops(first) == flops(of(layers.Conv2D(8, 3)))


class Own(layers.Layer):
    def call(self, features):
        return ops.matmul(features, ops.transpose(features, (0, 1, 3, 2)))


class Coded(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, faces):
        return self.dense(faces)


UNKNOWN = {
    "own layer": lambda: of(Own()),
    "lambda": lambda: of(layers.Lambda(lambda features: features)),
    "recurrent": lambda: of(layers.LSTM(4), shape=(16, 4)),
    "attention": lambda: of(layers.Reshape((256, 4)), Pair(layers.Attention())),
    "heads": lambda: of(layers.Reshape((256, 4)), Pair(layers.MultiHeadAttention(2, 2))),
    "product of tensors": lambda: of(lambda one: ops.matmul(one, ops.swapaxes(one, 2, 3))),
    "wrapped": lambda: of(layers.TimeDistributed(layers.Dense(3))),
    "a call that is code": Coded,
    "nested call that is code": lambda: of(Coded(), layers.Dense(3)),
    "nested for any size": lambda: of(of(layers.Conv2D(4, 3), shape=(None, None, 4))),
}


class Pair:
    """A layer of two inputs on one."""

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, features):
        if isinstance(self.layer, layers.Attention):
            return self.layer([features, features])
        return self.layer(features, features)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_counted_is_not_known(name):
    assert flops(UNKNOWN[name]()) is None


def own_architecture(*, input_size, **settings):
    return of(Own(), layers.Flatten(), layers.Dense(2), shape=(input_size, input_size, 1))


def counted_architecture(*, input_size, **settings):
    return network_of_one_layer()


def test_unknown_operations_are_no_objective(tmp_path, monkeypatch):
    own = {one: f"{__name__}.{one}_architecture" for one in ("own", "counted")}
    known = targets() | set(own.values())
    monkeypatch.setattr(instantiate, "targets", lambda: known)
    monkeypatch.setattr(files, "_own", [tmp_path])
    (tmp_path / "architecture").mkdir()
    for name, target in own.items():
        (tmp_path / "architecture" / f"{name}.yaml").write_text(f"_target_: {target}")
    objectives = "objectives={val/best_auc: maximize, cost/flops: minimize}"
    with pytest.raises(InputError, match="flops cannot be an objective"):
        read_plan(["margin_miner", objectives, "architecture=own"]).check()
    read_plan(["margin_miner", objectives, "architecture=counted"]).check()
    read_plan(["margin_miner", "architecture=own"]).check()
