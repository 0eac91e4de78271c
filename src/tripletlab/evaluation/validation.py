"""The validation pairs and triplets, which choose a model: of identities not trained on."""

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.protocol import auc, pair_distances
from tripletlab.faces.store import VALIDATION, FaceStore


class Validation:
    """The validation pairs stored with the faces, and a seeded triplet for each matched one.

    `faces` (n, size, size) are the faces that occur in them; embed these in this order.
    """

    def __init__(self, store: FaceStore) -> None:
        pairs = store.validation
        negatives = _negatives(store)
        rows = np.unique(np.concatenate([pairs.first, pairs.second, negatives]))
        self.faces: NDArray[np.uint8] = store.images[rows]
        self.first, self.second, self.negatives = (
            np.searchsorted(rows, part) for part in (pairs.first, pairs.second, negatives)
        )
        self.matched = pairs.matched

    def distances(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Squared distances (pairs,) of the pairs, from embeddings (n, dim) of `faces`."""
        return pair_distances(embeddings, self.first, self.second)

    def evaluate(self, embeddings: NDArray[np.float32], margin: float) -> dict[str, float]:
        """The validation metrics of embeddings (n, dim) of `faces`.

        `auc`, 0 to 1, is over the pairs and chooses a model; `loss` is the mean hinge of the
        triplets at this margin (a squared distance).
        """
        distances = self.distances(embeddings)
        positive = distances[self.matched]
        negative = pair_distances(embeddings, self.first[self.matched], self.negatives)
        return {
            "auc": auc(distances, self.matched),
            "loss": float(np.maximum(positive - negative + margin, 0).mean()),
        }


def _negatives(store: FaceStore) -> NDArray[np.int64]:
    """For each matched pair a face of somebody else in the same tree, always with seed 0.

    It is one of the pairs' faces; where they show nobody else of the tree, any validation face.
    """
    pairs, trees = store.validation, store.trees[store.entries]
    shown = np.unique(np.concatenate([pairs.first, pairs.second]))
    every = np.flatnonzero(store.split[store.entries] == VALIDATION)
    rng = np.random.default_rng(0)
    chosen = []
    for anchor in pairs.first[pairs.matched]:
        for rows in (shown, every):
            own_tree = trees[rows] == trees[anchor]
            others = rows[own_tree & (store.labels[rows] != store.labels[anchor])]
            if len(others):
                break
        chosen.append(rng.choice(others))
    return np.array(chosen, np.int64)
