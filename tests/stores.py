"""Face stores in memory, made for one test."""

import numpy as np

from tripletlab.faces.store import FaceStore
from tripletlab.photos.pairs import Pairs


def make_store(*, entries, photos, size=32):
    """Every identity a blob of its own; two trees, the first two people in both."""
    rng = np.random.default_rng(0)
    spots = rng.integers(0, 200, (entries, 1, size, size))
    images = np.clip(spots + rng.normal(0, 20, (entries, photos, size, size)), 0, 255)
    empty = np.array([], np.int64)
    return FaceStore(
        title="blobs",
        images=images.reshape(-1, size, size).astype(np.uint8),
        offsets=np.arange(entries + 1) * photos,
        names=tuple(f"person {entry % (entries - 2)}" for entry in range(entries)),
        trees=np.arange(entries) * 2 // entries,
        tree_names=("one", "two"),
        sources=tuple(map(str, range(entries * photos))),
        split=np.zeros(entries, np.int64),
        validation=Pairs(empty, empty, empty.astype(bool), empty),
        settings={},
        fingerprint="0",
        notes={},
    )
