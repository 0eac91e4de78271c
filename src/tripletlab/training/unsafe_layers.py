"""Layers whose gradients cannot be trusted on this machine."""

import keras
from keras import layers

from tripletlab.errors import InputError
from tripletlab.training.backend import on_cpu_with_onednn

BLOCK = 16  # channels of a vector with AVX-512; with AVX2 it is 8
POINTWISE = (layers.Conv1D, layers.Conv2D, layers.Conv1DTranspose, layers.Conv2DTranspose)


def refuse_unsafe(network: keras.Model) -> None:
    """InputError where a layer, nested or not, is a strided 1×1 convolution of few channels.

    On a CPU oneDNN's gradient of its kernel writes past its memory (uxlfoundation/oneDNN#6035): a
    crash, a hang, or wrong numbers without a sign. Few is fewer than a vector has; of a transposed
    convolution its filters count.
    """
    if not on_cpu_with_onednn():
        return
    for layer in network._flatten_layers():
        channels = _pointwise_channels(layer)
        if channels is not None and channels < BLOCK:
            raise InputError(
                f"{network.name}: layer {layer.name} is a 1×1 convolution with stride"
                f" {max(layer.strides)} over {channels} channels, whose gradients TensorFlow gets"
                f" wrong on a CPU below {BLOCK}: pool by the stride first, then project with"
                " stride 1"
            )


def _pointwise_channels(layer: keras.Layer) -> int | None:
    """Those of a strided 1×1 convolution; None for any other layer."""
    if not (isinstance(layer, POINTWISE) and layer.built and getattr(layer, "groups", 1) == 1):
        return None
    if max(layer.kernel_size) > 1 or max(layer.strides) == 1:
        return None
    return int(layer.kernel.shape[-2])
