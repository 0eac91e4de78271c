"""OpenFace's nn4.small2 with half the filters and without batch normalisation (paper, Table I)."""

from typing import Annotated

import keras
from keras import layers
from pydantic import Field

from tripletlab.architectures.ends import face_input, unit_embedding
from tripletlab.architectures.inception import Module, convolution, inception, pooling

HALF = (
    Module("3a", [[(1, 32)], [(1, 48), (3, 64)], [(1, 8), (5, 16)]], "max", 16),
    Module("3b", [[(1, 32)], [(1, 48), (3, 64)], [(1, 16), (5, 32)]], "l2", 32),
    Module("3c", [[(1, 64), (3, 128)], [(1, 16), (5, 32)]], "max", stride=2),
    Module("4a", [[(1, 128)], [(1, 48), (3, 96)], [(1, 16), (5, 32)]], "l2", 64),
    Module("4e", [[(1, 80), (3, 128)], [(1, 32), (5, 64)]], "max", stride=2),
    Module("5a", [[(1, 128)], [(1, 48), (3, 192)]], "l2", 48),
    Module("5b", [[(1, 128)], [(1, 48), (3, 192)]], "max", 48),
)


def nn4_small2_half(
    *,
    input_size: Annotated[int, Field(ge=32, le=256)],
    embedding_dim: Annotated[int, Field(ge=2, le=4096)],
) -> keras.Model:
    """Table I: 955,192 parameters at 64×64 and 128 dimensions.

    Faces (batch, size, size, 1) with values 0 to 255 -> unit embeddings (batch, embedding_dim).
    """
    face, features = face_input(size=input_size)
    features = convolution(features, kernel=7, filters=32, stride=2, name="conv1")
    features = pooling(features, kind="max", stride=2, name="pool1")
    features = convolution(features, kernel=1, filters=32, name="conv2")
    features = convolution(features, kernel=3, filters=96, name="conv3")
    features = pooling(features, kind="max", stride=2, name="pool2")
    for module in HALF:
        features = inception(features, module)
    features = layers.GlobalAveragePooling2D(name="average_pool")(features)
    embedding = unit_embedding(features, dim=embedding_dim)
    return keras.Model(face, embedding, name="nn4_small2_half")
