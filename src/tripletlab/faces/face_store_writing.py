"""A finished journal becomes faces.h5, its people split into those to train and to validate."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.journal import Journal
from tripletlab.faces.recipe import LEAST_PHOTOS, FaceRecipe
from tripletlab.faces.store import CALIBRATION, HELDOUT, TRAIN, VALIDATION
from tripletlab.faces.storing import Blocks, Lines, write
from tripletlab.photos.pairs import Pairs, draw_pairs
from tripletlab.photos.sources import Heldout, TrainingPhotos

FEWEST_HELD_OUT = 4  # two folds of two people; more are dealt into as many folds as they fill
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
    heldout: Heldout | None,
    kept: Mapping[str, Any],
) -> None:
    """Write faces.h5 from a journal, part by part.

    `kept` is what the file notes of who was left out. InputError when too few people are usable.
    """
    numbers, rejected = journal.numbers(), _rejected(journal)
    if not numbers:
        told = "; ".join(f"{why}: {found['photos']:,}" for why, found in rejected.items())
        raise InputError(
            f"{photos.title}: nobody has {recipe.min_photos} usable faces ({told}); give more"
            f" photos{_or_lower_min_photos(recipe)}"
        )
    names = [people[number].name for number in numbers]
    trees = [people[number].tree for number in numbers]
    split = split_names(names, trees, recipe, heldout=heldout)
    counts = [journal.count(number) for number in numbers]
    total, without = sum(counts), sum(found["photos"] for found in rejected.values())
    arrays = {
        "offsets": np.cumsum([0, *counts]),
        "trees": np.array(trees, np.int64),
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
        pairs=("validation", validation_pairs(arrays, recipe)),
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


def check_enough(people: Sequence[Person], recipe: FaceRecipe, heldout: Heldout | None) -> None:
    """InputError where the people are too few even if a face is found in every photo."""
    usable = [one for one in people if not one.left_out and one.photos >= recipe.min_photos]
    names = [one.name for one in usable]
    held, _ = _sizes(names, recipe, heldout)
    if len(Counter(one.tree for one in usable)) == len(usable):
        raise InputError(
            "every person is alone in a folder of photos, and pairs are drawn within one: put the"
            " people's folders into one folder"
        )
    if heldout and held < min(FEWEST_HELD_OUT, 2 * heldout.folds):
        raise InputError(
            f"verification.fraction={heldout.fraction:g} holds out {held} of {len(set(names))}"
            f" people, and two folds of pairs need {FEWEST_HELD_OUT}: raise the fraction, or give"
            " more people"
        )


def split_names(
    names: Sequence[str], trees: Sequence[int], recipe: FaceRecipe, *, heldout: Heldout | None
) -> dict[str, int]:
    """Each name's split, seeded; at least two validation identities, and one held out if any.

    `trees` are those of the names. A tree that would have a single validation identity gets a
    second one, for pairs and triplets stay within a tree; whoever is alone in all trees comes last.
    Where the people are too few for calibration identities of their own, there are none.
    """
    held, watched = _sizes(names, recipe, heldout)
    members = {tree: {n for n, t in zip(names, trees, strict=True) if t == tree} for tree in trees}
    in_company = {name for people in members.values() if len(people) > 1 for name in people}
    order = np.random.default_rng(recipe.seed).permutation(sorted(set(names))).tolist()
    order.sort(key=lambda name: name not in in_company)
    marks = [HELDOUT] * held + [VALIDATION] * watched + [TRAIN] * (len(order) - held - watched)
    split = dict(zip(order, marks, strict=True))
    while second := _second(order, split, members):
        split[second] = VALIDATION
    training = [name for name in order if split[name] == TRAIN]
    if len(training) < 2:
        raise _too_few(len(order), recipe)
    calibrated = round(len(order) * recipe.calibration_fraction)
    if calibrated >= 2 and len(training) - calibrated >= 2:
        split |= dict.fromkeys(training[:calibrated], CALIBRATION)
    return split


def _second(order: Sequence[str], split: Mapping[str, int], members: Mapping[int, set[str]]) -> str:
    """A training identity for a tree with a single validation identity; empty where all is well."""
    for people in members.values():
        if sum(split[name] == VALIDATION for name in people) == 1:
            for name in order:
                if name in people and split[name] == TRAIN:
                    return name
    return ""


def _sizes(names: Sequence[str], recipe: FaceRecipe, heldout: Heldout | None) -> tuple[int, int]:
    """How many identities are held out, and how many validate; InputError if few are left."""
    people = len(set(names))
    held = round(people * heldout.fraction) if heldout else 0
    watched = max(2, round(people * recipe.validation_fraction))
    if people - held - watched < 2:
        raise _too_few(people, recipe)
    return held, watched


def _too_few(people: int, recipe: FaceRecipe) -> InputError:
    return InputError(
        f"{people} people with {recipe.min_photos} usable faces are too few to split into"
        f" training and validation: give more people{_or_lower_min_photos(recipe)}"
    )


def _or_lower_min_photos(recipe: FaceRecipe) -> str:
    """What else helps where photos are too few."""
    return ", or lower faces.min_photos" if recipe.min_photos > LEAST_PHOTOS else ""


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


def validation_pairs(arrays: Mapping[str, NDArray[Any]], recipe: FaceRecipe) -> Pairs:
    """Pairs of the validation identities of a store's `offsets`, `trees` and `split`, seeded."""
    chosen = np.flatnonzero(arrays["split"] == VALIDATION)
    groups = [np.arange(*arrays["offsets"][entry : entry + 2]) for entry in chosen]
    return draw_pairs(
        groups,
        arrays["trees"][chosen],
        folds=1,
        per_fold=recipe.validation_pairs,
        seed=recipe.seed,
    )
