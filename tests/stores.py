"""Face stores in memory, made for one test."""

import numpy as np

from tripletlab.faces.store import FaceStore, PairStore
from tripletlab.photos.pairs import Pairs

# A sweep or a training of a minute, as overrides
SMALL = [
    "photos.people=24",
    "photos.photos=10",
    "verification.people=60",
    "verification.per_fold=10",
    "architecture=simple_cnn",
    "architecture.width=0.25",
    "batches.people=6",
    "batches.photos=4",
    "batches.steps=6",
    "fit.epochs=2",
]


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
        display_names=tuple(f"person {entry % (entries - 2)}" for entry in range(entries)),
        trees=np.arange(entries) * 2 // entries,
        tree_names=("one", "two"),
        sources=tuple(map(str, range(entries * photos))),
        split=np.zeros(entries, np.int64),
        validation=Pairs(empty, empty, empty.astype(bool), empty),
        settings={},
        fingerprint="0",
        notes={},
    )


def make_pairs(*, people, photos, size=32):
    """Pairs in two folds: photos 0 and 1 of each person, and 0 of each and of the next one."""
    rng = np.random.default_rng(0)
    faces = people * photos
    person = np.arange(people)
    first = np.concatenate([person, person]) * photos
    second = np.concatenate([person * photos + 1, (person + 1) % people * photos])
    return PairStore(
        title="blobs",
        images=rng.integers(0, 255, (faces, size, size), np.uint8),
        names=tuple(f"person {face // photos}" for face in range(faces)),
        display_names=tuple(f"person {face // photos}" for face in range(faces)),
        sources=tuple(f"blobs/person/{face % photos:04}.jpg" for face in range(faces)),
        fallback=np.arange(faces) % 7 == 0,
        pairs=Pairs(first, second, np.arange(2 * people) < people, np.arange(2 * people) % 2),
        map_rows=np.arange(min(faces, 40)),
        settings={"size": size},
        fingerprint="1",
        notes={"photos": faces, "rejected": {}},
    )
