"""What rows of a network's table are made of: a convolution, a pooling, and the network's style."""

from typing import Literal, NamedTuple

from keras import KerasTensor, initializers, layers, ops

PoolKind = Literal["max", "average", "l2"]
MOMENTUM = 0.9  # Keras' 0.99 would need more steps than a short run has


class Style(NamedTuple):
    """What holds for every row of a network, whatever its table says.

    `width` multiplies every count of filters; `pool` replaces the kind of every pooling, unless it
    is None; with `batch_norm` every convolution is normalised and has no bias.
    """

    width: float
    batch_norm: bool
    pool: PoolKind | None

    def filters(self, count: int) -> int:
        """A table's count at this width, at least 1."""
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
    """A convolution with same padding: bias or batch normalisation, then ReLU unless told not to.

    `zero` makes its output zero at the start.
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
    """A window's maximum, its mean, or its root mean square ("l2"), with same padding.

    OpenFace's L2 pooling takes the root of the sum, three times larger; without batch normalisation
    the mean keeps the activations level. The epsilon bounds the gradient at 0.
    """
    kind = style.pool or kind
    if kind == "max":
        return layers.MaxPooling2D(size, stride, padding="same", name=name)(features)
    mean = layers.AveragePooling2D(size, stride, padding="same", name=name)
    if kind == "average":
        return mean(features)
    return ops.sqrt(mean(ops.square(features)) + 1e-6)
