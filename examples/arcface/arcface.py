"""ArcFace (Deng et al., CVPR 2019) on tripletlab's networks, to compare with the triplet loss."""

from typing import Annotated, Any

import keras
from keras import KerasTensor, ops
from pydantic import Field

from tripletlab.errors import InputError
from tripletlab.training.model import TripletModel


class ArcFace(TripletModel):
    """Learns to name the training people: one direction for each person, and a margin on the angle.

    The directions of the people are discarded after training; what is validated, evaluated and kept
    is the embedder, as with the triplet loss. The miner, the margin, the triplet loss and the
    regularizer are logged as usual, but have no effect on the training.

    All labels must be smaller than `people`; otherwise `fit` raises an InputError. `angle` is the
    margin in radians, and the cosines are multiplied by `scale`. The paper has 0.5 and 64, for
    112×112 faces of at least 10,000 people.
    """

    def __init__(
        self,
        embedder: keras.Model,
        *,
        people: Annotated[int, Field(ge=2)],
        angle: Annotated[float, Field(ge=0, lt=1.5)],
        scale: Annotated[float, Field(gt=0)],
        **settings: Any,
    ) -> None:
        super().__init__(embedder, **settings)
        self.people, self.angle, self.scale = people, angle, scale
        shape = (embedder.output_shape[-1], people)
        self.directions = self.add_weight(shape=shape, name="directions", initializer="he_normal")

    def fit(self, batches: Any, **settings: Any) -> Any:
        """Keras' own `fit`, after a check that every label has a direction."""
        people = 1 + max(one.label for tree in batches.trees for one in tree)
        if people > self.people:
            raise InputError(
                f"graph.people={self.people}: the photos show more people; give {people} or more"
            )
        return super().fit(batches, **settings)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *more: Any, **named: Any
    ) -> KerasTensor:
        """The mean cross-entropy of the batch and the network's own losses (weight decay, say).

        y_pred (batch, dim) are unit embeddings.
        """
        super().compute_loss(x, y, y_pred, *more, **named)  # for its metrics
        labels = ops.reshape(y, (self.batch_size,))
        embeddings = ops.cast(y_pred, self.directions.dtype)
        loss = arcface(embeddings, labels, self.directions, angle=self.angle, scale=self.scale)
        return loss + sum(ops.cast(ops.sum(own), loss.dtype) for own in self.losses)


def arcface(
    embeddings: KerasTensor,
    labels: KerasTensor,
    directions: KerasTensor,
    *,
    angle: float,
    scale: float,
) -> KerasTensor:
    """Mean cross-entropy of scale · cos(θ), with `angle` added to the θ of the face's own person.

    Unit embeddings (batch, dim), labels (batch,), and directions (dim, people) of any length.
    """
    cosines = ops.matmul(embeddings, ops.normalize(directions, axis=0))
    cosines = ops.clip(cosines, -1 + 1e-6, 1 - 1e-6)  # the root's gradient is infinite at 1
    sines = ops.sqrt(1 - ops.square(cosines))
    moved = cosines * ops.cos(angle) - sines * ops.sin(angle)
    own = ops.one_hot(labels, ops.shape(directions)[1], dtype=cosines.dtype)
    logits = scale * ops.where(own > 0, moved, cosines)
    return ops.mean(ops.categorical_crossentropy(own, logits, from_logits=True))
