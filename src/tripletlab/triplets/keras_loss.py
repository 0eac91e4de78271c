"""The triplet loss as a loss of Keras, for anyone's `model.compile`."""

from typing import Any

import keras
from keras import KerasTensor, ops

from tripletlab.triplets.distances import squared_distances
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import Miner, semihard
from tripletlab.triplets.triplets import Loss


class TripletLoss(keras.losses.Loss):  # type: ignore[misc]
    """The mean loss of the triplets that a miner chooses in each batch.

    `model.compile(loss=TripletLoss(margin=0.2))` trains a model whose outputs are unit embeddings
    (batch, dim) on integer labels (batch,) or (batch, 1). A batch needs several faces of each of
    its identities. The loss is a scalar, 0 where no triplet is kept; distances and `margin` are
    squared Euclidean, 0 to 4. `seed` makes the miner's draws repeatable; on JAX, which keeps no
    state of a loss, they are the same in every step, and labels have 32 bits. ValueError for a
    margin that is not above 0 and at most 4, and for weights of samples. A model that was saved
    with it is loaded with `compile=False`: miners are functions, which Keras does not save.
    """

    def __init__(
        self,
        *,
        margin: float,
        miner: Miner = semihard,
        loss: Loss = hinge,
        seed: int = 0,
        name: str = "triplet_loss",
    ) -> None:
        if not 0 < margin <= 4:
            raise ValueError(f"margin={margin}: squared distances lie between 0 and 4")
        super().__init__(name=name, reduction=None)
        self.margin, self.miner, self.loss = margin, miner, loss
        self.draws = keras.random.SeedGenerator(seed)

    def __call__(
        self, y_true: Any, y_pred: KerasTensor, sample_weight: KerasTensor | None = None
    ) -> KerasTensor:
        """The loss of `call`; ValueError for weights: a triplet has three samples.

        Keras' own would turn labels into float32, where those above 2**24 coincide.
        """
        if sample_weight is not None:
            raise ValueError("the triplet loss has no weights for samples: leave sample_weight out")
        return self.call(y_true, y_pred)

    def call(self, y_true: Any, y_pred: KerasTensor) -> KerasTensor:
        """Labels (batch,) and embeddings (batch, dim) -> the mean loss of the kept triplets."""
        labels = ops.reshape(ops.convert_to_tensor(y_true), (-1,))
        if "int" not in keras.backend.standardize_dtype(labels.dtype):
            labels = ops.cast(labels, "int32")
        distances = squared_distances(y_pred)  # (batch, batch)
        draws = keras.random.uniform(ops.shape(distances), seed=self.draws)
        fixed = ops.stop_gradient(distances)
        mined = self.miner(fixed, labels, margin=self.margin, draws=draws)
        return mined.measure(distances, loss=self.loss, margin=self.margin).loss
