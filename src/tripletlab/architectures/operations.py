"""How many operations a network needs for one face, counted layer by layer."""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

import keras
from keras import layers

CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
# Weights that are applied element by element, which is not counted.
ELEMENTWISE = (
    layers.BatchNormalization,
    layers.GroupNormalization,
    layers.LayerNormalization,
    layers.RMSNormalization,
    layers.Normalization,
    layers.PReLU,
)
# Keras' own that have no weights and yet multiply tensors by each other.
PRODUCTS = {
    *("Attention", "AdditiveAttention", "Dot"),
    *("Matmul", "Einsum", "Tensordot", "Inner", "Outer", "Vdot", "Kron", "Cross"),
    *("Conv", "ConvTranspose", "DepthwiseConv", "SeparableConv", "DotProductAttention"),
}


def flops(network: keras.Model) -> int | None:
    """Operations of convolutions and dense layers for one face; None where they are unknown.

    A multiplication and an addition count as two; element-wise operations are not counted. A
    nested network counts as often as it is called. Unknown are custom layers, and those of Keras
    that have weights and are not listed above.
    """
    return added(count for _, count in flops_by_layer(network))


def flops_by_layer(network: keras.Model) -> Iterator[tuple[str, int | None]]:
    """The name and operations of every call of a layer, in order."""
    graph = getattr(network, "_functional", None) or network  # of a Sequential model
    nodes = getattr(graph, "_nodes_by_depth", None)
    if nodes is None:  # a model whose `call` is code
        yield network.name, None
        return
    for node in chain.from_iterable(nodes[depth] for depth in sorted(nodes, reverse=True)):
        if not node.is_input:
            yield node.operation.name, _of_call(node)


def added(counts: Iterator[int | None]) -> int | None:
    """The sum; None where one is unknown."""
    every = list(counts)
    known = [count for count in every if count is not None]
    return sum(known) if known == every else None


def _of_call(node: Any) -> int | None:
    layer, given, made = node.operation, node.input_tensors, node.outputs
    if isinstance(layer, keras.Model):
        built = [tuple(one.shape[1:]) for one in getattr(layer, "inputs", None) or ()]
        same = built == [tuple(one.shape[1:]) for one in given]
        return flops(layer) if same else None  # else its layers have other sizes
    if not type(layer).__module__.startswith("keras."):
        return None
    products = _multiplications(layer, tuple(given[0].shape), tuple(made[0].shape))
    return None if products is None else 2 * products


def _multiplications(layer: Any, given: tuple[Any, ...], made: tuple[Any, ...]) -> int | None:
    """Each weight is used once per position of the output; transposed, of the input."""
    if isinstance(layer, layers.Dense):
        return _times(layer.kernel.shape, made[1:-1])
    if isinstance(layer, SEPARABLE):
        kernels = math.prod(layer.depthwise_kernel.shape), math.prod(layer.pointwise_kernel.shape)
        return _times((sum(kernels),), _places(layer, made))
    if isinstance(layer, TRANSPOSED):
        return _times(layer.kernel.shape, _places(layer, given))
    if isinstance(layer, CONVOLUTIONS + DEPTHWISE):
        return _times(layer.kernel.shape, _places(layer, made))
    return 0 if _costs_nothing(layer) else None


def _places(layer: Any, shape: tuple[Any, ...]) -> tuple[Any, ...]:
    return shape[2:] if layer.data_format == "channels_first" else shape[1:-1]


def _times(kernel: tuple[int, ...], places: tuple[int | None, ...]) -> int | None:
    sizes = [size for size in places if size is not None]
    return math.prod(kernel) * math.prod(sizes) if len(sizes) == len(places) else None


def _costs_nothing(operation: Any) -> bool:
    """Whether it works element by element, moves or pools."""
    if type(operation).__name__ in PRODUCTS:
        return False
    if isinstance(operation, ELEMENTWISE) or not isinstance(operation, layers.Layer):
        return True
    return not (operation.weights or isinstance(operation, layers.Wrapper | layers.Lambda))
