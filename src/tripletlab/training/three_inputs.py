"""The paper's own training graph: three inputs, three outputs, shared weights (section II.C)."""

from typing import Any

import keras
from keras import KerasTensor, ops

from tripletlab.errors import InputError
from tripletlab.training.model import TripletModel
from tripletlab.triplets.miners import given

SIDES = ("anchor", "positive", "negative")
NEEDS_TRIPLETS = "graph=three_inputs learns from triplets: give batches=offline"


class ThreeInputs(TripletModel):
    """Learns from batches of triplets, each third of them through an input of its own.

    The loss of the triplets is the one-pass model's. What a network computes over a batch is not:
    anchors, positives and negatives are three batches to batch normalisation, dropout draws for
    each of them, and losses of layers count three times.
    """

    def __init__(self, embedder: keras.Model, **settings: Any) -> None:
        super().__init__(embedder, **settings)
        if self.miner is not given:
            raise InputError(NEEDS_TRIPLETS)
        self.shared = three_inputs(embedder)

    def call(self, faces: KerasTensor, training: bool = False) -> KerasTensor:
        """Faces (3·triplets, size, size, 1) -> unit embeddings (3·triplets, dim)."""
        return ops.concatenate(self.shared(ops.split(faces, len(SIDES)), training=training))


def three_inputs(embedder: keras.Model) -> keras.Model:
    """Anchors, positives and negatives, each (n, size, size, 1) -> three embeddings (n, dim)."""
    inputs = [keras.Input(embedder.input_shape[1:], name=side) for side in SIDES]
    return keras.Model(inputs, [embedder(one) for one in inputs], name="three_inputs")
