"""A finished journal becomes faces.h5, its people split into those to train and to validate."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.journal import Journal
from tripletlab.faces.recipe import FaceRecipe
from tripletlab.faces.store import CALIBRATION, HELDOUT, TRAIN, VALIDATION
from tripletlab.faces.storing import Blocks, Lines, write
from tripletlab.photos.pairs import Pairs, draw_pairs
from tripletlab.photos.sources import TrainingPhotos

EXAMPLES = 12  # rejected photos that are named for each reason


class Person(NamedTuple):
    """An identity in one tree: its place in the store, its folders and how many photos they hold.

    `name` is the folder's; `called` the person's, empty where the folder is only a number.
    `left_out` is why nothing of it is read, if so.
    """

    number: int
    name: str
    called: str
    tree: int
    cropped: bool
    folders: list[Path]
    photos: int
    left_out: str | None


def complete(
    path: Path,
    photos: TrainingPhotos,
    people: Sequence[Person],
    journal: Journal,
    recipe: FaceRecipe,
    settings: Mapping[str, Any],
    heldout_fraction: float,
    kept: Mapping[str, Any],
) -> None:
    """Write faces.h5 from a journal, part by part.

    `kept` is what the file notes of who was left out. InputError when too few people are usable.
    """
    numbers, rejected = journal.numbers(), _rejected(journal)
    if not numbers:
        told = "; ".join(f"{why}: {found['photos']:,}" for why, found in rejected.items())
        raise InputError(
            f"{photos.title}: nobody has {recipe.min_photos} usable faces ({told});"
            " lower faces.min_photos, or give more photos"
        )
    names = [people[number].name for number in numbers]
    split = split_names(names, recipe, heldout_fraction=heldout_fraction)
    counts = [journal.count(number) for number in numbers]
    total, without = sum(counts), sum(found["photos"] for found in rejected.values())
    arrays = {
        "offsets": np.cumsum([0, *counts]),
        "trees": np.array([people[number].tree for number in numbers], np.int64),
        "split": np.array([split[name] for name in names], np.int64),
        "checksums": np.array([journal.checksum(number) for number in numbers], np.uint32),
    }
    faces = Blocks((total, recipe.size, recipe.size), np.dtype(np.uint8), journal.images())
    write(
        path,
        kind="faces",
        title=photos.title,
        settings=settings,
        notes={
            "photos": sum(person.photos for person in people),
            "kept": total,
            "rejected": rejected,
            "hygiene": kept,
        },
        pairs=("validation", _validation_pairs(arrays, recipe)),
        arrays={**arrays, "images": faces},
        texts={
            "names": tuple(names),
            "called": tuple(people[number].called for number in numbers),
            "tree_names": tuple(tree.name for tree in photos.trees),
            "sources": Lines(total, (sources for sources, _ in journal.entries())),
            "rejected": Lines(without, ([s for s, _ in lost] for _, lost in journal.entries())),
            "reasons": Lines(without, ([why for _, why in lost] for _, lost in journal.entries())),
        },
    )


def split_names(
    names: Sequence[str], recipe: FaceRecipe, *, heldout_fraction: float
) -> dict[str, int]:
    """Each name's split, seeded; at least two validation identities, and one held out if any.

    Where the people are too few for calibration identities of their own, there are none.
    """
    order = np.random.default_rng(recipe.seed).permutation(sorted(set(names)))
    held = round(len(order) * heldout_fraction) if heldout_fraction else 0
    watched = max(2, round(len(order) * recipe.validation_fraction))
    if len(order) - held - watched < 2:
        raise InputError(
            f"{len(order)} people with {recipe.min_photos} usable faces are too few to split into"
            " training and validation: give more people, or lower faces.min_photos"
        )
    calibrated = round(len(order) * recipe.calibration_fraction)
    if calibrated < 2 or len(order) - held - watched - calibrated < 2:
        calibrated = 0
    marks = [HELDOUT] * held + [VALIDATION] * watched + [CALIBRATION] * calibrated
    marks += [TRAIN] * (len(order) - len(marks))
    return dict(zip(map(str, order), marks, strict=True))


def _rejected(journal: Journal) -> dict[str, dict[str, Any]]:
    """For every reason how many photos it took, and some of them, each of another identity."""
    counts = dict[str, dict[str, Any]]()
    for _, rejected in journal.entries():
        for why, photos in itertools.groupby(sorted(rejected, key=_why), key=_why):
            sources = [one for one, _ in photos]
            known = counts.setdefault(why, {"photos": 0, "such_as": []})
            known["photos"] += len(sources)
            known["such_as"] += sources[: len(known["such_as"]) < EXAMPLES]
    return dict(sorted(counts.items(), key=lambda item: -item[1]["photos"]))


def _why(rejected: tuple[str, str]) -> str:
    return rejected[1]


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
