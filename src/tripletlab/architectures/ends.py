"""What every network begins and ends with: the pixels' range, and the unit hypersphere."""

import keras
from keras import KerasTensor, layers


def face_input(*, size: int) -> tuple[KerasTensor, KerasTensor]:
    """The input (size, size, 1) with grey values 0 to 255, and the same scaled to [-1, 1]."""
    face = keras.Input((size, size, 1), name="face")
    return face, layers.Rescaling(1 / 127.5, offset=-1, name="scale")(face)


def unit_embedding(features: KerasTensor, *, dim: int) -> KerasTensor:
    """A fully connected layer, then L2 normalisation: (batch, dim), every row of length 1."""
    embedding = layers.Dense(dim, name="embedding")(features)
    return layers.UnitNormalization(name="unit")(embedding)
