"""The engine of inception modules: a table of filter counts becomes a network.

A module is parallel branches, concatenated: any number of convolution branches, each a list of
(kernel, filters), and one pooling branch with an optional 1×1 projection. The module's stride acts
in the last convolution of a branch and in the pooling. Same padding throughout, biases on, ReLU
after every convolution.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import keras
from keras import KerasTensor, layers, ops

Convolution = tuple[int, int]  # kernel, filters
PoolKind = Literal["max", "average", "l2"]


class Module(NamedTuple):
    """One row of a network's table; `projection` 0 leaves the pooled channels as they are."""

    name: str
    branches: Sequence[Sequence[Convolution]]
    pool: PoolKind
    projection: int = 0
    stride: int = 1


@keras.saving.register_keras_serializable(package="tripletlab")
class L2Pooling2D(layers.Layer):
    """Root mean square over a window: OpenFace's L2 pooling on the scale of its input.

    (OpenFace's own takes the root of the sum, three times larger for a 3×3 window; without batch
    normalisation the mean keeps the activations level.) The epsilon bounds the gradient at 0.
    """

    def __init__(self, pool_size: int, strides: int, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size, self.strides, self.epsilon = pool_size, strides, epsilon

    def call(self, features: KerasTensor) -> KerasTensor:
        """(batch, height, width, channels) -> the same with height and width over `strides`."""
        squares = ops.average_pool(
            ops.square(features), self.pool_size, strides=self.strides, padding="same"
        )
        return ops.sqrt(squares + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """What the layer needs to be built again from a saved model."""
        own = {"pool_size": self.pool_size, "strides": self.strides, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


POOLING: dict[PoolKind, Any] = {
    "max": layers.MaxPooling2D,
    "average": layers.AveragePooling2D,
    "l2": L2Pooling2D,
}


def convolution(
    features: KerasTensor, *, kernel: int, filters: int, stride: int = 1, name: str
) -> KerasTensor:
    """A convolution with bias and ReLU, same padding."""
    return layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(features)


def pooling(features: KerasTensor, *, kind: PoolKind, stride: int, name: str) -> KerasTensor:
    """A 3×3 pooling; max and average pooling share Keras' arguments, L2 pooling follows them."""
    padding = {} if kind == "l2" else {"padding": "same"}
    return POOLING[kind](pool_size=3, strides=stride, name=name, **padding)(features)


def inception(features: KerasTensor, module: Module) -> KerasTensor:
    """One module: its branches side by side, joined along the channels."""
    outputs = [
        _branch(features, convolutions, stride=module.stride, name=f"{module.name}_{index}")
        for index, convolutions in enumerate(module.branches)
    ]
    pooled = pooling(
        features, kind=module.pool, stride=module.stride, name=f"{module.name}_pool"
    )
    if module.projection:
        pooled = convolution(
            pooled, kernel=1, filters=module.projection, name=f"{module.name}_projection"
        )
    return layers.Concatenate(name=module.name)([*outputs, pooled])


def _branch(
    features: KerasTensor, convolutions: Sequence[Convolution], *, stride: int, name: str
) -> KerasTensor:
    last = len(convolutions) - 1
    for index, (kernel, filters) in enumerate(convolutions):
        features = convolution(
            features,
            kernel=kernel,
            filters=filters,
            stride=stride if index == last else 1,
            name=f"{name}_{index}_{kernel}x{kernel}",
        )
    return features
