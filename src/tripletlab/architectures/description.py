"""A network described as in the paper's Table I: rows, sizes, parameters, operations."""

from collections.abc import Sequence
from typing import NamedTuple

import keras

from tripletlab.architectures.blocks import Style
from tripletlab.architectures.operations import added, flops_by_layer
from tripletlab.architectures.tables import NetworkTable


class Described(NamedTuple):
    """A row of the description; `flops` as operations.flops counts them."""

    name: str
    text: str
    output: tuple[int, ...]  # without the batch
    parameters: int
    flops: int | None


def describe(network: keras.Model, table: NetworkTable, style: Style) -> list[Described]:
    """The rows of the table in order, then the layers that end the network."""
    rows = [(row.name, row.text(style)) for row in table.rows]
    ending = "flatten" if table.flatten else "average_pool"
    dim = network.output_shape[-1]
    rows += [(ending, "flatten" if table.flatten else "average pool")]
    rows += [("embedding", f"fully connected {dim}"), ("unit", "L2 normalise")]
    return [_described(network, name, text) for name, text in rows]


def total(rows: Sequence[Described]) -> tuple[int, int | None]:
    """Parameters and operations of all rows."""
    return sum(row.parameters for row in rows), added(row.flops for row in rows)


def _described(network: keras.Model, name: str, text: str) -> Described:
    def belongs(layer: str) -> bool:
        return layer == name or layer.startswith(f"{name}_")

    parameters = sum(layer.count_params() for layer in network.layers if belongs(layer.name))
    output = network.get_layer(name).output.shape[1:]
    counts = (count for layer, count in flops_by_layer(network) if belongs(layer))
    return Described(name, text, tuple(output), parameters, added(counts))
