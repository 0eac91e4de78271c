"""Offline mining: batches of triplets that were found in a subset of the faces (FaceNet, 3.2)."""

from threading import Condition
from typing import Annotated, Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from pydantic import Field

from tripletlab.errors import InputError
from tripletlab.faces.store import FaceStore
from tripletlab.training.backend import sort
from tripletlab.training.batches import Augmentation, Batch, PeopleByPhotos
from tripletlab.training.inference import embed
from tripletlab.triplets.distances import squared_distances
from tripletlab.triplets.miners import Miner, given
from tripletlab.triplets.sorting import sorting
from tripletlab.triplets.triplets import Every, Mined

Triplets = NDArray[np.int64]  # (n, 3): places of anchor, positive and negative in the subset


class OfflineTriplets(PeopleByPhotos):
    """Batches of `triplets`, mined every `every` steps with the current weights.

    Mining takes `people` × `photos` faces of one tree, as they are, and the miner's choice among
    them; a batch draws from what was found, and repeats triplets only where there are too few. It
    is 3·triplets faces: the anchors, their positives, their negatives. Where nothing was found, its
    negatives are any faces of other people. Every epoch begins with mining, so that an interrupted
    fit goes on as it would have.
    """

    def __init__(
        self,
        store: FaceStore,
        *,
        people: Annotated[int, Field(ge=2, le=1024)],
        photos: Annotated[int, Field(ge=2, le=1024)],
        triplets: Annotated[int, Field(ge=1, le=8192)],
        every: Annotated[int, Field(ge=1)],
        steps: Annotated[int, Field(ge=1)],
        augmentation: Augmentation,
        miner: Miner,
        seed: int,
        identities: Annotated[int, Field(ge=2)] | None = None,
    ) -> None:
        super().__init__(
            store,
            people=people,
            photos=photos,
            steps=steps,
            augmentation=augmentation,
            miner=given,
            seed=seed,
            identities=identities,
        )
        check_miner(miner)
        _check_backend()
        self.mined_by, self.every, self.triplets = miner, every, triplets
        self.batch_size = 3 * triplets
        self.model, self.done, self.changed = None, 0, Condition()
        self.rows, self.labels = self.draw(np.random.default_rng(seed))
        self.found: Triplets = np.empty((0, 3), np.int64)

    def begin(self, epoch: int, model: Any) -> None:
        """Mine with this model from now on."""
        self.epoch, self.model, self.done = epoch, model, 0

    def learned(self, steps: int) -> None:
        """The weights are those after so many steps."""
        with self.changed:
            self.done = steps
            self.changed.notify_all()

    def end(self) -> None:
        """Nobody waits for weights that will not come."""
        with self.changed:
            self.model = None
            self.changed.notify_all()

    def __getitem__(self, index: int) -> Batch:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        if index % self.every == 0:
            self._mine(index, rng)
        found = self.found if len(self.found) else _any_triplets(self.labels, rng)
        chosen = rng.choice(len(found), self.triplets, replace=len(found) < self.triplets)
        places = found[chosen].T.ravel()  # anchors, positives, negatives
        return self.augmented(self.rows[places], rng), self.labels[places]

    def _mine(self, index: int, rng: np.random.Generator) -> None:
        """Take a new subset. Keras asks for batches ahead of the steps: wait for the weights."""
        self.rows, self.labels = self.draw(rng)
        with self.changed:
            self.changed.wait_for(lambda: self.model is None or self.done >= index)
            model = self.model
        self.found = np.empty((0, 3), np.int64)
        if model is not None:
            embeddings = embed(model.embedder, self.images[self.rows])
            self.found = mine(
                embeddings,
                self.labels,
                miner=self.mined_by,
                margin=float(model.margin),
                rng=rng,
            )


def mine(
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int32],
    *,
    miner: Miner,
    margin: float,
    rng: np.random.Generator,
) -> Triplets:
    """The triplets that the miner keeps among these embeddings (n, dim)."""
    distances = squared_distances(ops.convert_to_tensor(embeddings))
    draws = rng.random(distances.shape, np.float32)
    with sorting(sort(xla=False)):
        mined = miner(distances, ops.convert_to_tensor(labels), margin=margin, draws=draws)
    assert isinstance(mined, Mined)  # check_miner refused any other
    kept, negatives = (ops.convert_to_numpy(part) for part in (mined.kept, mined.negatives))
    anchors, positives = np.nonzero(kept)
    return np.stack([anchors, positives, negatives[anchors, positives]], axis=1)


def _any_triplets(labels: NDArray[np.int32], rng: np.random.Generator) -> Triplets:
    anchors, positives = np.nonzero(np.triu(labels[:, None] == labels[None, :], 1))
    negatives = [rng.choice(np.flatnonzero(labels != labels[anchor])) for anchor in anchors]
    return np.stack([anchors, positives, negatives], axis=1)


def check_miner(miner: Miner) -> None:
    """InputError for a miner that offline mining cannot work with."""
    two = np.zeros((2, 2), np.float32)
    if isinstance(miner(two, np.arange(2, dtype=np.int32), margin=0.1, draws=two), Every):
        raise InputError(
            "miner=batch_all keeps every triplet, and batches=offline draws from chosen ones; give"
            " another miner"
        )


def _check_backend() -> None:
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "batches=offline mines with the current weights, and of Keras' backends only"
            " TensorFlow shows them during a fit; give batches=people_by_photos"
        )
