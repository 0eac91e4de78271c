"""The paper's first network, which it compares the others with (section III.B)."""

from typing import Annotated

import keras
from keras import layers
from pydantic import Field

from tripletlab.architectures.ends import face_input, unit_embedding
from tripletlab.architectures.inception import convolution


def simple_cnn(
    *,
    input_size: Annotated[int, Field(ge=32, le=256)],
    embedding_dim: Annotated[int, Field(ge=2, le=4096)],
    filters: Annotated[int, Field(ge=1, le=1024)],
) -> keras.Model:
    """Four 3×3 convolutions, a max pool after every second, then fully connected.

    `filters` in the first two, twice as many in the last two (the paper gives no counts). Faces
    (batch, size, size, 1) with values 0 to 255 -> unit embeddings (batch, embedding_dim).
    """
    face, features = face_input(size=input_size)
    for block, count in enumerate((filters, 2 * filters), start=1):
        for index in (1, 2):
            name = f"conv{block}_{index}"
            features = convolution(features, kernel=3, filters=count, name=name)
        features = layers.MaxPooling2D(2, name=f"pool{block}")(features)
    embedding = unit_embedding(layers.Flatten(name="flatten")(features), dim=embedding_dim)
    return keras.Model(face, embedding, name="simple_cnn")
