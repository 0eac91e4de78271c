"""The kinds of rows in a network's table; each adds its layers to those before it.

The names of a row's layers are its name, or begin with it and an underscore.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol

from keras import KerasTensor, layers

from tripletlab.architectures.blocks import PoolKind, Style, convolution, pooling

Convolution = tuple[int, int]  # kernel, filters


class LayerRow(Protocol):
    """One row: features (batch, height, width, channels) in, features out."""

    @property
    def name(self) -> str: ...

    def add(self, features: KerasTensor, style: Style) -> KerasTensor:
        """Add the row's layers."""

    def text(self, style: Style) -> str:
        """Kernels and filters, for the printed table."""


class Conv(NamedTuple):
    """A convolution with ReLU."""

    name: str
    kernel: int
    filters: int
    stride: int = 1

    def add(self, features: KerasTensor, style: Style) -> KerasTensor:
        return convolution(features, style=style, **self._asdict())

    def text(self, style: Style) -> str:
        return f"{_conv(self.kernel, self.filters, style)}{_stride(self.stride)}"


class Pool(NamedTuple):
    """A pooling; `size` and `stride` in pixels."""

    name: str
    size: int = 3
    stride: int = 2
    kind: PoolKind = "max"

    def add(self, features: KerasTensor, style: Style) -> KerasTensor:
        return pooling(features, style=style, **self._asdict())

    def text(self, style: Style) -> str:
        return f"{style.pool or self.kind} pool {self.size}×{self.size}{_stride(self.stride)}"


class Inception(NamedTuple):
    """Parallel branches, concatenated along the channels: lists of convolutions, and a pooling.

    The stride applies to each branch's last convolution and to the pooling (3×3); `projection` is
    the filters of a 1×1 convolution after the pooling, 0 for none.
    """

    name: str
    branches: Sequence[Sequence[Convolution]]
    pool: PoolKind
    projection: int = 0
    stride: int = 1

    def add(self, features: KerasTensor, style: Style) -> KerasTensor:
        outputs = [
            self._branch(features, convolutions, style, name=f"{self.name}_{index}")
            for index, convolutions in enumerate(self.branches)
        ]
        pooled = pooling(
            features,
            kind=self.pool,
            size=3,
            stride=self.stride,
            style=style,
            name=f"{self.name}_pool",
        )
        if self.projection:
            name = f"{self.name}_projection"
            pooled = convolution(pooled, kernel=1, filters=self.projection, style=style, name=name)
        return layers.Concatenate(name=self.name)([*outputs, pooled])

    def _branch(
        self, features: KerasTensor, convolutions: Sequence[Convolution], style: Style, *, name: str
    ) -> KerasTensor:
        last = len(convolutions) - 1
        for index, (kernel, filters) in enumerate(convolutions):
            features = convolution(
                features,
                kernel=kernel,
                filters=filters,
                stride=self.stride if index == last else 1,
                style=style,
                name=f"{name}_{index}_{kernel}x{kernel}",
            )
        return features

    def text(self, style: Style) -> str:
        branches = [
            " → ".join(_conv(kernel, filters, style) for kernel, filters in convolutions)
            for convolutions in self.branches
        ]
        projected = f" → {_conv(1, self.projection, style)}" if self.projection else ""
        pool = f"{style.pool or self.pool} pool{projected}"
        return " · ".join([*branches, pool]) + _stride(self.stride)


class Residual(NamedTuple):
    """Two 3×3 convolutions whose result is added to their input (He et al., 2015).

    The second is initialised to zero, so that a deep network starts as a shallow one and trains
    without batch normalisation (Goyal et al., 2017; Zhang et al., Fixup, 2019). Where the shape
    changes, the input is average-pooled by the stride and projected by a 1×1 convolution, as in
    ResNet-D (He et al., Bag of Tricks, 2019): a strided 1×1 convolution skips three pixels of four.
    """

    name: str
    filters: int
    stride: int = 1

    def add(self, features: KerasTensor, style: Style) -> KerasTensor:
        same = partial(convolution, filters=self.filters, style=style)
        inner = same(features, kernel=3, stride=self.stride, name=f"{self.name}_1")
        inner = same(inner, kernel=3, name=f"{self.name}_2", relu=False, zero=True)
        if features.shape != inner.shape:
            name = f"{self.name}_shortcut"
            if self.stride > 1:
                features = pooling(
                    features,
                    kind="average",
                    size=self.stride,
                    stride=self.stride,
                    style=style,
                    name=f"{name}_pool",
                )
            features = same(features, kernel=1, name=name, relu=False)
        joined = layers.Add(name=f"{self.name}_add")([features, inner])
        return layers.ReLU(name=self.name)(joined)

    def text(self, style: Style) -> str:
        one = _conv(3, self.filters, style)
        return f"{one} → {one} + input{_stride(self.stride)}"


def _conv(kernel: int, filters: int, style: Style) -> str:
    return f"{kernel}×{kernel} {style.filters(filters)}"


def _stride(stride: int) -> str:
    return f" /{stride}" if stride > 1 else ""
