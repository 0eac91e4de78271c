"""What chooses a model: fixed pairs and triplets of identities that it has not seen."""

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.protocol import auc, pair_distances
from tripletlab.faces.store import FaceStore


class Validation:
    """The validation pairs stored with the faces, and a seeded triplet for each matched one.

    `faces` (n, size, size) are the faces that occur in them: embed these, in this order.
    """

    def __init__(self, store: FaceStore) -> None:
        pairs = store.validation
        rows, places = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
        self.faces: NDArray[np.uint8] = store.images[rows]
        self.first, self.second = np.split(places, 2)
        self.matched = pairs.matched
        self.labels = store.labels[rows]
        self.negatives = self._negatives(store.trees[store.entries[rows]])

    def _negatives(self, trees: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each matched pair a face of somebody else in the same tree; seed 0, always."""
        rng = np.random.default_rng(0)
        chosen = []
        for anchor in self.first[self.matched]:
            others = np.flatnonzero((self.labels != self.labels[anchor]) & (trees == trees[anchor]))
            chosen.append(rng.choice(others))
        return np.array(chosen, np.int64)

    def distances(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Squared distances of the validation pairs, from the embeddings (n, dim) of `faces`."""
        return pair_distances(embeddings, self.first, self.second)

    def auc(self, distances: NDArray[np.float64]) -> float:
        """What chooses a model."""
        return auc(distances, self.matched)

    def judge(self, embeddings: NDArray[np.float32], margin: float) -> dict[str, float]:
        """`validation_auc` over the pairs; `validation_loss`, the mean hinge at this margin."""
        distances = self.distances(embeddings)
        positive = distances[self.matched]
        negative = pair_distances(embeddings, self.first[self.matched], self.negatives)
        return {
            "validation_auc": self.auc(distances),
            "validation_loss": float(np.maximum(positive - negative + margin, 0).mean()),
        }
