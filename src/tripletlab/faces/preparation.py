"""Trees of photos to faces.h5: over all cores, and never stopped by a bad photo."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.recipe import TOO_FEW, FaceRecipe
from tripletlab.faces.store import FORMAT, HELDOUT, TRAIN, VALIDATION, write
from tripletlab.photos.pairs import Pairs, draw_pairs
from tripletlab.photos.sources import TrainingPhotos, slug
from tripletlab.photos.tree import list_identities
from tripletlab.progress import spread


@dataclass(frozen=True)
class Preparation:
    """A store that is there now, and whether it was there before."""

    path: Path
    reused: bool


class Person(NamedTuple):
    """The photos of one identity in one tree."""

    name: str
    tree: int
    cropped: bool
    files: list[Path]


class Entry(NamedTuple):
    """The usable faces of a person, and the file of each; the files without one, and why."""

    person: Person
    images: NDArray[np.uint8]  # (n, size, size)
    files: list[Path]
    rejected: list[tuple[Path, str]]


def prepare_faces(
    photos: TrainingPhotos,
    recipe: FaceRecipe,
    *,
    heldout_fraction: float,
    settings: Mapping[str, Any],
    folder: Path,
    fresh: bool,
) -> Preparation:
    """Write faces.h5 into a folder whose name tells title and inputs; skip it when it is there.

    `settings` is the recipe as the config has it. InputError when too few people are usable.
    """
    people = [
        Person(name, place, tree.cropped, files)
        for place, tree in enumerate(photos.trees)
        for name, files in list_identities(tree).items()
    ]
    listed = [[one.cropped, listing(one.files)] for one in people]
    key = [FORMAT, settings, heldout_fraction, photos.title, listed]
    path = store_path(folder, title=photos.title, key=key) / "faces.h5"
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    count = sum(len(person.files) for person in people)
    read = spread(
        _Reader(recipe),
        people,
        title=f"Finding faces in {count:,} photos",
        size=lambda one: len(one.files),
    )
    entries, rejected = _usable(read, recipe)
    if not entries:
        counts = "; ".join(f"{why}: {len(which):,}" for why, which in rejected.items())
        raise InputError(
            f"{photos.title}: nobody has {recipe.min_photos} usable faces ({counts});"
            " lower faces.min_photos, or give more photos"
        )
    _write(path, photos, entries, recipe, settings, heldout_fraction, (count, rejected))
    return Preparation(path, reused=False)


def store_path(folder: Path, *, title: str, key: object) -> Path:
    """The folder of a store: a readable name, and 8 digits that change with the inputs."""
    digits = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:8]
    return folder / f"{slug(title)}-{digits}"


def split_names(
    names: Sequence[str], recipe: FaceRecipe, *, heldout_fraction: float
) -> dict[str, int]:
    """Each name's split, seeded; at least two validation identities, and one held out if any."""
    order = np.random.default_rng(recipe.seed).permutation(sorted(set(names)))
    held = round(len(order) * heldout_fraction) if heldout_fraction else 0
    watched = max(2, round(len(order) * recipe.validation_fraction))
    if len(order) - held - watched < 2:
        raise InputError(
            f"{len(order)} people with {recipe.min_photos} usable faces are too few to split into"
            " training and validation: give more people, or lower faces.min_photos"
        )
    marks = [HELDOUT] * held + [VALIDATION] * watched + [TRAIN] * (len(order) - held - watched)
    return dict(zip(map(str, order), marks, strict=True))


@dataclass(frozen=True)
class _Reader:
    """What a worker does: the photos of a person, until there are enough."""

    recipe: FaceRecipe

    def __call__(self, person: Person) -> Entry:
        cv2.setNumThreads(1)  # the cores are busy with other people already
        size = self.recipe.size
        images: list[NDArray[np.uint8]] = []
        files, rejected = [], []
        for file in person.files:
            if len(images) == self.recipe.max_photos:
                break
            face = self.recipe.face(file, cropped=person.cropped)
            if face.image is None:
                rejected.append((file, face.problem or ""))
            else:
                images.append(face.image)
                files.append(file)
        return Entry(person, np.array(images, np.uint8).reshape(-1, size, size), files, rejected)


def _usable(read: Sequence[Entry], recipe: FaceRecipe) -> tuple[list[Entry], dict[str, list[str]]]:
    """The people with enough faces, and every rejected photo under its reason."""
    entries, rejected = [], dict[str, list[str]]()
    for entry in read:
        few = len(entry.files) < recipe.min_photos
        for file, why in [*entry.rejected, *((file, TOO_FEW) for file in entry.files if few)]:
            rejected.setdefault(why, []).append(source(file))
        if not few:
            entries.append(entry)
    return entries, rejected


def source(file: Path) -> str:
    """How a photo is named in a store: tree/person/file, without the way there."""
    return "/".join(file.parts[-3:])


def _write(
    path: Path,
    photos: TrainingPhotos,
    entries: Sequence[Entry],
    recipe: FaceRecipe,
    settings: Mapping[str, Any],
    heldout_fraction: float,
    counted: tuple[int, dict[str, list[str]]],
) -> None:
    names = [entry.person.name for entry in entries]
    split = split_names(names, recipe, heldout_fraction=heldout_fraction)
    offsets = np.cumsum([0, *(len(entry.images) for entry in entries)])
    arrays = {
        "images": np.concatenate([entry.images for entry in entries]),
        "offsets": offsets,
        "trees": np.array([entry.person.tree for entry in entries], np.int64),
        "split": np.array([split[name] for name in names], np.int64),
    }
    write(
        path,
        kind="faces",
        title=photos.title,
        settings=settings,
        notes={"photos": counted[0], "rejected": counted[1]},
        pairs=("validation", _validation_pairs(arrays, recipe)),
        arrays=arrays,
        texts={
            "names": tuple(names),
            "tree_names": tuple(tree.name for tree in photos.trees),
            "sources": tuple(source(file) for entry in entries for file in entry.files),
        },
    )


def _validation_pairs(arrays: Mapping[str, NDArray[Any]], recipe: FaceRecipe) -> Pairs:
    chosen = np.flatnonzero(arrays["split"] == VALIDATION)
    groups = [np.arange(*arrays["offsets"][entry : entry + 2]) for entry in chosen]
    return draw_pairs(
        groups,
        arrays["trees"][chosen],
        folds=1,
        per_fold=recipe.validation_pairs,
        seed=recipe.seed,
    )


def listing(files: Sequence[Path]) -> str:
    """A digest that changes when a photo is added, removed or replaced."""
    digest = hashlib.sha256()
    for file in files:
        status = file.stat()
        digest.update(f"{source(file)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
