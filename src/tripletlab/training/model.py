"""The triplet loss as Keras computes a loss, so that plain `fit` trains."""

from typing import Protocol

import keras
from keras import KerasTensor, ops

from tripletlab.errors import InputError
from tripletlab.training.backend import sort
from tripletlab.training.unsafe_layers import refuse_unsafe
from tripletlab.triplets.distances import squared_distances
from tripletlab.triplets.losses import mean_where
from tripletlab.triplets.miners import Miner
from tripletlab.triplets.pairs import negative_pairs, positive_pairs
from tripletlab.triplets.sorting import sorting
from tripletlab.triplets.triplets import Loss, Measured


class Regularizer(Protocol):
    """See tripletlab.triplets.regularizers for the contract."""

    def __call__(self, distances: KerasTensor, labels: KerasTensor, *, dim: int) -> KerasTensor: ...


class TripletModel(keras.Model):  # type: ignore[misc]
    """An embedder that learns from faces and labels: one forward pass a batch, mined in the graph.

    Beside the loss it reports, as means over an epoch: `triplet_loss`, without the regularizer;
    `kept` and `active`, fractions of the miner's anchor-positive pairs (a triplet was found; its
    loss is above zero); `positive_distance` and `negative_distance` over all pairs of the batch.

    `margin` is a squared distance above 0 and at most 4, InputError for any other; `set_margin`
    changes it between epochs. InputError for a network whose gradients would be wrong here.
    """

    def __init__(
        self,
        embedder: keras.Model,
        *,
        miner: Miner,
        loss: Loss,
        regularizer: Regularizer,
        margin: float,
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__(name="triplet_model")
        refuse_unsafe(embedder)
        self.embedder, self.miner, self.triplet_loss = embedder, miner, loss
        self.regularizer = regularizer
        self.batch_size = batch_size
        self.seeds = keras.random.SeedGenerator(seed)
        first = keras.initializers.Constant(valid_margin(margin))
        self.margin = self.add_weight(name="margin", initializer=first, trainable=False)
        names = ("triplet_loss", "kept", "active", "positive_distance", "negative_distance")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}

    def call(self, faces: KerasTensor, training: bool = False) -> KerasTensor:
        """Faces (batch, size, size, 1) -> unit embeddings (batch, dim)."""
        return self.embedder(faces, training=training)

    def compute_loss(
        self,
        x: KerasTensor = None,
        y: KerasTensor = None,
        y_pred: KerasTensor = None,
        sample_weight: KerasTensor = None,
        training: bool = True,
    ) -> KerasTensor:
        """Mine once, without gradient; the sum of the kept triplets' mean loss, the regularizer's
        loss, and the network's own losses (weight decay of its layers, say)."""
        if sample_weight is not None:
            raise InputError("the triplet loss has no weights for samples: leave sample_weight out")
        # Keras leaves the batch size open; the miner's sort needs it
        labels = ops.reshape(y, (self.batch_size,))
        dim = self.embedder.output_shape[-1]
        embeddings = ops.reshape(y_pred, (self.batch_size, dim))
        distances = squared_distances(embeddings)  # (batch, batch)
        draws = keras.random.uniform(distances.shape, seed=self.seeds)
        fixed = ops.stop_gradient(distances)
        with sorting(sort(xla=bool(self.jit_compile))):
            mined = self.miner(fixed, labels, margin=self.margin, draws=draws)
        measured = mined.measure(distances, loss=self.triplet_loss, margin=self.margin)
        self._track(distances, labels, measured)
        loss = measured.loss + self.regularizer(distances, labels, dim=dim)
        return loss + sum(ops.cast(ops.sum(own), loss.dtype) for own in self.losses)

    def set_margin(self, margin: float) -> None:
        """The margin from now on; InputError outside (0, 4]."""
        self.margin.assign(valid_margin(margin))

    def _track(self, distances: KerasTensor, labels: KerasTensor, measured: Measured) -> None:
        values = {
            "triplet_loss": measured.loss,
            "kept": measured.kept,
            "active": measured.active,
            "positive_distance": mean_where(distances, positive_pairs(labels)),
            "negative_distance": mean_where(distances, negative_pairs(labels)),
        }
        for name, value in values.items():
            self.trackers[name].update_state(value)


def valid_margin(margin: float) -> float:
    """The margin; InputError outside (0, 4]: with 0 no negative is semi-hard, and the loss is 0."""
    if not 0 < margin <= 4:
        raise InputError(f"margin={margin}: a margin is a squared distance above 0 and at most 4")
    return float(margin)
