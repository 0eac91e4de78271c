"""The parts of a table's rows: convolution, pooling, and the style of the whole network."""

from typing import Literal, NamedTuple

from keras import KerasTensor, initializers, layers, ops

PoolKind = Literal["max", "average", "l2"]
MOMENTUM = 0.9  # Keras' 0.99 needs more steps than a short run has


class Style(NamedTuple):
    """What applies to every row of a network.

    `width` multiplies the number of filters; `pool`, unless None, replaces the kind of every
    pooling; with `batch_norm` every convolution is normalised and has no bias.
    """

    width: float
    batch_norm: bool
    pool: PoolKind | None

    def filters(self, count: int) -> int:
        """The number of filters at this width, at least 1."""
        return max(1, round(count * self.width))


def convolution(
    features: KerasTensor,
    *,
    kernel: int,
    filters: int,
    style: Style,
    name: str,
    stride: int = 1,
    relu: bool = True,
    zero: bool = False,
) -> KerasTensor:
    """A convolution with same padding, with bias or batch normalisation, then ReLU if `relu`.

    `zero` initialises its weights, and so its output, to zero.
    """
    conv = layers.Conv2D(
        style.filters(filters),
        kernel,
        strides=stride,
        padding="same",
        use_bias=not style.batch_norm,
        activation="relu" if relu and not style.batch_norm else None,
        kernel_initializer=initializers.Zeros() if zero else initializers.HeNormal(),
        name=name,
    )
    features = conv(features)
    if style.batch_norm:
        features = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(features)
        features = layers.ReLU(name=f"{name}_relu")(features) if relu else features
    return features


def pooling(
    features: KerasTensor, *, kind: PoolKind, size: int, stride: int, style: Style, name: str
) -> KerasTensor:
    """The maximum, mean or root mean square ("l2") of each window, with same padding.

    OpenFace's L2 pooling takes the root of the sum, three times as large for 3×3; without batch
    normalisation the mean keeps activations at one scale. The epsilon bounds the gradient at 0.
    """
    kind = style.pool or kind
    if kind == "max":
        return layers.MaxPooling2D(size, stride, padding="same", name=name)(features)
    mean = layers.AveragePooling2D(size, stride, padding="same", name=name)
    if kind == "average":
        return mean(features)
    return ops.sqrt(mean(ops.square(features)) + 1e-6)
