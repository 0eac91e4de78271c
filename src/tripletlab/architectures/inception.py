"""The engine of inception modules: a table of filter counts becomes a network.

A module is parallel branches, concatenated: any number of convolution branches, each a list of
(kernel, filters), and one pooling branch with an optional 1×1 projection. The module's stride acts
in the last convolution of a branch and in the pooling. Same padding throughout, biases on, ReLU
after every convolution.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

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
    """A 3×3 pooling: the window's maximum, its mean, or its root mean square ("l2").

    OpenFace's L2 pooling takes the root of the sum, three times larger; without batch normalisation
    the mean keeps the activations level. The epsilon bounds the gradient at 0.
    """
    if kind == "max":
        return layers.MaxPooling2D(3, stride, padding="same", name=name)(features)
    mean = layers.AveragePooling2D(3, stride, padding="same", name=name)
    if kind == "average":
        return mean(features)
    return ops.sqrt(mean(ops.square(features)) + 1e-6)


def inception(features: KerasTensor, module: Module) -> KerasTensor:
    """One module: its branches side by side, joined along the channels."""
    outputs = [
        _branch(features, convolutions, stride=module.stride, name=f"{module.name}_{index}")
        for index, convolutions in enumerate(module.branches)
    ]
    pooled = pooling(features, kind=module.pool, stride=module.stride, name=f"{module.name}_pool")
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
