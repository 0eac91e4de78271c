"""A network as the paper's Table I shows it: rows, sizes, parameters, operations."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import keras

from tripletlab.architectures.blocks import Style
from tripletlab.architectures.tables import Table


class Described(NamedTuple):
    """A row of the description; `flops` counts a multiplication and an addition as two."""

    name: str
    text: str
    output: tuple[int, ...]  # without the batch
    parameters: int
    flops: int


def describe(network: keras.Model, table: Table, style: Style) -> list[Described]:
    """Every row of the table, then what ends the network, in order."""
    rows = [(row.name, row.text(style)) for row in table.rows]
    ending = "flatten" if table.flatten else "average_pool"
    dim = network.output_shape[-1]
    rows += [(ending, "flatten" if table.flatten else "average pool")]
    rows += [("embedding", f"fully connected {dim}"), ("unit", "L2 normalise")]
    return [_described(network, name, text) for name, text in rows]


def flops(network: keras.Model) -> int:
    """Operations for one face: those of convolutions and dense layers, two each."""
    return sum(map(_flops, network.layers))


def total(rows: Sequence[Described]) -> tuple[int, int]:
    """Parameters and operations of all rows."""
    return sum(row.parameters for row in rows), sum(row.flops for row in rows)


def _described(network: keras.Model, name: str, text: str) -> Described:
    own = [
        layer for layer in network.layers if layer.name == name or layer.name.startswith(f"{name}_")
    ]
    parameters = sum(layer.count_params() for layer in own)
    output = network.get_layer(name).output.shape[1:]
    return Described(name, text, tuple(output), parameters, sum(map(_flops, own)))


def _flops(layer: keras.Layer) -> int:
    if not isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
        return 0
    kernel: tuple[int, ...] = layer.kernel.shape  # (height, width, in, out) or (in, out)
    places: tuple[int, ...] = layer.output.shape[1:-1]  # of a dense layer: none
    return 2 * math.prod(kernel) * math.prod(places)
