"""Builds a network from a table of rows: a grey face in, a unit embedding out."""

from typing import Annotated

import keras
from keras import KerasTensor, layers
from pydantic import Field

from tripletlab.architectures.blocks import PoolKind, Style
from tripletlab.architectures.dtype import computing_in
from tripletlab.architectures.tables import NetworkTable
from tripletlab.errors import InputError
from tripletlab.system.processor import DType

SIZES = range(32, 257)  # pixels a side; five halvings leave one pixel of the smallest


def network(
    *,
    table: NetworkTable,
    input_size: int,
    embedding_dim: Annotated[int, Field(ge=2, le=4096)],
    width: Annotated[float, Field(gt=0, le=8)],
    batch_norm: bool,
    pool: PoolKind | None,
    dtype: DType,
) -> keras.Model:
    """Faces (batch, size, size, 1) with values 0 to 255 -> unit embeddings (batch, embedding_dim).

    `width` multiplies the table's filters; `pool` replaces the kind of all its poolings, None
    leaves each as it is. InputError for an `input_size` that is not among SIZES.
    """
    if input_size not in SIZES:
        raise InputError(
            f"{table.name} reads faces of {SIZES[0]} to {SIZES[-1]} pixels a side, and these have"
            f" {input_size}: give another faces.size"
        )
    style = Style(width, batch_norm, pool)
    with computing_in(dtype):
        face, features = face_input(size=input_size)
        for row in table.rows:
            features = row.add(features, style)
        joined = layers.Flatten if table.flatten else layers.GlobalAveragePooling2D
        features = joined(name="flatten" if table.flatten else "average_pool")(features)
        return keras.Model(face, unit_embedding(features, dim=embedding_dim), name=table.name)


def face_input(*, size: int) -> tuple[KerasTensor, KerasTensor]:
    """The input (size, size, 1) with grey values 0 to 255, and the same scaled to [-1, 1]."""
    face = keras.Input((size, size, 1), name="face")
    return face, layers.Rescaling(1 / 127.5, offset=-1, name="scale")(face)


def unit_embedding(features: KerasTensor, *, dim: int) -> KerasTensor:
    """A fully connected layer, then L2 normalisation, always in float32.

    Returns (batch, dim), every row of length 1.
    """
    embedding = layers.Dense(dim, dtype="float32", name="embedding")(features)
    return layers.UnitNormalization(dtype="float32", name="unit")(embedding)
