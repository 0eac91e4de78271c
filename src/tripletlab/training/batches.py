"""What a fit learns from: people × photos, always from one tree (paper, section II.B)."""

import mmap
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tripletlab.errors import InputError
from tripletlab.faces.store import TRAIN, FaceStore
from tripletlab.system.progress import say
from tripletlab.triplets.miners import Miner

Augmentation = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
LARGE = 2**30  # bytes of faces
Batch = tuple[NDArray[np.uint8], NDArray[np.int32]]  # faces (n, size, size, 1), labels (n,)


class Identity(NamedTuple):
    """The faces [start, stop) of one identity in one tree, an entry of the store."""

    entry: int
    label: int
    tree: int
    start: int
    stop: int


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """`steps` batches an epoch, each of `batch_size` faces, whose triplets `miner` chooses.

    Batch i depends on the seed, the epoch, i, and the weights after i batches alone.
    """

    steps: int
    batch_size: int
    miner: Miner
    trained_on: dict[str, str]  # folders and names of the people that batches are drawn from
    left_out: set[str]  # folders of the training people that they are not drawn from
    why_left_out: list[str]  # by tree; of people as well whose photos of another tree are used

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> Batch:
        raise NotImplementedError

    def begin(self, epoch: int, model: Any) -> None:
        """An epoch begins, the first is 1; the model has an `embedder` and a `margin`."""

    def learned(self, steps: int) -> None:
        """So many batches of the epoch were learned from."""

    def end(self) -> None:
        """The fit is over, whatever ended it."""


class PeopleByPhotos(Batches):
    """Batches of `people` × `photos` faces from one tree, the photos of a person side by side.

    Trees take turns in proportion to their identities. With `identities`, so many training people
    are drawn by the seed, and the others are left out; those of a smaller number are among those of
    a larger one. Of these, too, trees with too few people for a batch are left out, so that batches
    may show fewer.

    Where no tree has so many people, a batch shows all people of the largest; a line says so.
    """

    def __init__(
        self,
        store: FaceStore,
        *,
        people: Annotated[int, Field(ge=2, le=1024)],
        photos: Annotated[int, Field(ge=2, le=1024)],
        steps: Annotated[int, Field(ge=1)],
        augmentation: Augmentation,
        miner: Miner,
        seed: int,
        identities: Annotated[int, Field(ge=2)] | None = None,
    ) -> None:
        super().__init__()
        _read_at_random(store.images)
        self.images, self.photos, self.steps = store.images, photos, steps
        self.augmentation, self.miner, self.seed, self.epoch = augmentation, miner, seed, 1
        training = everyone = training_identities(store)
        usable = [one for one in training if one.stop - one.start >= photos]
        self.trees = _trees_of_at_least(people, usable, photos=photos)
        if identities is not None:
            usable = [one for tree in self.trees for one in tree]
            chosen = _drawn(usable, identities, seed=seed)
            training, usable = (
                [one for one in some if one.label in chosen] for some in (training, usable)
            )
            self.trees = _trees_of_at_least(people, usable, photos=photos)
        if (most := max(map(len, self.trees))) < people:
            say(f"batches.people={people}: {most} people can be trained on; batches have {most}")
            people = most
        self.people, self.batch_size = people, people * photos
        drawn = {one for tree in self.trees for one in tree}
        self.trained_on = {
            store.names[one.entry]: store.display_names[one.entry]
            for one in training
            if one in drawn
        }
        self.left_out = {store.names[one.entry] for one in everyone} - self.trained_on.keys()
        left = [one for one in training if one not in drawn]
        self.why_left_out = _why_left_out(left, store.tree_names, people=people, photos=photos)

    def begin(self, epoch: int, model: Any) -> None:
        """Other batches than in the epoch before."""
        self.epoch = epoch

    def __getitem__(self, index: int) -> Batch:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        rows, labels = self.draw(rng)
        return self.augmented(rows, rng), labels

    def augmented(self, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
        """The faces of these rows of the store, augmented, (rows, size, size, 1).

        InputError for an augmentation of one's own that returns no such faces.
        """
        faces = self.images[rows]
        made = self.augmentation(faces, rng)
        if not isinstance(made, np.ndarray) or made.shape != faces.shape:
            found = made.shape if isinstance(made, np.ndarray) else type(made).__name__
            raise InputError(f"augmentation: it returns {found}, and not faces {faces.shape}")
        return made[..., None]

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Rows of the store, people × photos of them, and their labels."""
        sizes = np.array([len(tree) for tree in self.trees])
        shares = sizes / sizes.sum()
        tree = self.trees[rng.choice(len(self.trees), p=shares)]
        chosen = [tree[one] for one in rng.choice(len(tree), self.people, replace=False)]
        rows = [
            one.start + rng.choice(one.stop - one.start, self.photos, replace=False)
            for one in chosen
        ]
        labels = np.repeat([one.label for one in chosen], self.photos).astype(np.int32)
        return np.concatenate(rows), labels


def _read_at_random(images: NDArray[np.uint8]) -> None:
    """Let the kernel read the faces asked for alone, where a file is too large to be read whole.

    It would read 32 pages around each face, which takes ten times the processor time.
    """
    if isinstance(images, np.memmap) and images.nbytes > LARGE and hasattr(mmap, "MADV_RANDOM"):
        images._mmap.madvise(mmap.MADV_RANDOM)  # type: ignore[attr-defined]


def training_identities(store: FaceStore) -> list[Identity]:
    """The identities of the training split; one that is in two trees is there twice."""
    labels = {name: label for label, name in enumerate(sorted(set(store.names)))}
    return [
        Identity(
            entry,
            labels[name],
            int(store.trees[entry]),
            *map(int, store.offsets[entry : entry + 2]),
        )
        for entry, name in enumerate(store.names)
        if store.split[entry] == TRAIN
    ]


def _drawn(usable: Sequence[Identity], count: int, *, seed: int) -> set[int]:
    """The labels of so many people, drawn by the seed.

    InputError where there are fewer, and where no two of them are in one tree.
    """
    labels = sorted({one.label for one in usable})
    if count > len(labels):
        raise InputError(
            f"batches.identities={count}: batches can show {len(labels)} training people; give a"
            " smaller number, or null for all"
        )
    rng = np.random.default_rng([seed, 0])
    chosen = {labels[place] for place in rng.permutation(len(labels))[:count]}
    if max(Counter(one.tree for one in usable if one.label in chosen).values()) < 2:
        raise InputError(
            f"batches.identities={count}: no two of the people drawn with seed={seed} are in one"
            " tree, as a batch needs; give a larger number"
        )
    return chosen


def _trees_of_at_least(
    people: int, identities: Sequence[Identity], *, photos: int
) -> list[list[Identity]]:
    """The identities by tree, for the trees that can fill a batch; else for the largest tree.

    InputError where that has fewer than two.
    """
    trees = [
        [one for one in identities if one.tree == tree]
        for tree in sorted({one.tree for one in identities})
    ]
    largest = max(map(len, trees), default=0)
    if largest < 2:
        raise InputError(
            f"batches.photos={photos}: no tree of training photos has two people with {photos}"
            " faces; give a smaller number, or more photos"
        )
    return [tree for tree in trees if len(tree) >= min(people, largest)]


def _why_left_out(
    left: Sequence[Identity], tree_names: Sequence[str], *, people: int, photos: int
) -> list[str]:
    """For every tree how many of its training people no batch shows, and why."""
    why = []
    for tree, name in enumerate(tree_names):
        sizes = [one.stop - one.start for one in left if one.tree == tree]
        enough = sum(size >= photos for size in sizes)
        if enough:
            why.append(f"{name}: too few people for a batch of {people} ({enough:,})")
        if len(sizes) > enough:
            why.append(f"{name}: people with fewer than {photos} faces ({len(sizes) - enough:,})")
    return why
