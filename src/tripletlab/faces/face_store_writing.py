"""A finished journal becomes faces.h5, its people split into those to train and to validate."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.identities import IdentityPhotos
from tripletlab.faces.journal import Journal, Kept
from tripletlab.faces.recipe import LEAST_PHOTOS, FaceRecipe
from tripletlab.faces.store import CALIBRATION, HELDOUT, TRAIN, VALIDATION
from tripletlab.faces.store_writing import Blocks, Lines, write
from tripletlab.photos.pairs import Pairs, draw_pairs
from tripletlab.photos.sources import Heldout, TrainingPhotos

FEWEST_HELD_OUT = 4  # two folds of two people
EXAMPLES = 12  # rejected photos that are named for each reason


def write_face_store(
    path: Path,
    journal: Journal,
    identities: Sequence[IdentityPhotos],
    recipe: FaceRecipe,
    photos: TrainingPhotos,
    heldout: Heldout | None,
    *,
    settings: Mapping[str, Any],
    hygiene: Mapping[str, Any],
) -> None:
    """Write faces.h5 from a complete journal, part by part.

    `hygiene` are the file's notes on who was left out. InputError when too few people are usable.
    """
    kept, rejected = journal.kept(), _rejected(journal)
    if not kept:
        raise _nobody_usable(photos.title, rejected, recipe)
    chosen = [identities[one.number] for one in kept]
    arrays = _arrays(kept, chosen, recipe, heldout)
    used, unused = int(arrays["offsets"][-1]), sum(one["photos"] for one in rejected.values())
    images = Blocks((used, recipe.size, recipe.size), np.dtype(np.uint8), journal.images())
    write(
        path,
        kind="faces",
        title=photos.title,
        settings=settings,
        notes={
            "photos": sum(one.photos for one in identities),
            "kept": used,
            "rejected": rejected,
            "hygiene": hygiene,
        },
        pairs=("validation", validation_pairs(arrays, recipe)),
        arrays={**arrays, "images": images},
        texts={
            "names": tuple(one.name for one in chosen),
            "called": tuple(one.display_name for one in chosen),
            "tree_names": tuple(tree.name for tree in photos.trees),
            **_photo_texts(journal, used, unused),
        },
    )


def _arrays(
    kept: Sequence[Kept],
    chosen: Sequence[IdentityPhotos],
    recipe: FaceRecipe,
    heldout: Heldout | None,
) -> dict[str, NDArray[Any]]:
    """All arrays but the images, by their names in the file."""
    names, trees = [one.name for one in chosen], [one.tree for one in chosen]
    split = split_names(names, trees, recipe, faces=[one.faces for one in kept], heldout=heldout)
    return {
        "offsets": np.cumsum([0, *(one.faces for one in kept)]),
        "trees": np.array(trees, np.int64),
        "split": np.array([split[name] for name in names], np.int64),
        "checksums": np.array([one.checksum for one in kept], np.uint32),
    }


def _photo_texts(journal: Journal, used: int, unused: int) -> dict[str, Lines]:
    """The sources of the faces, and the photos that gave none, with the reasons."""
    return {
        "sources": Lines(used, (sources for sources, _ in journal.entries())),
        "rejected": Lines(unused, ([one for one, _ in lost] for _, lost in journal.entries())),
        "reasons": Lines(unused, ([why for _, why in lost] for _, lost in journal.entries())),
    }


def _nobody_usable(title: str, rejected: Mapping[str, Any], recipe: FaceRecipe) -> InputError:
    reasons = "; ".join(f"{why}: {found['photos']:,}" for why, found in rejected.items())
    return InputError(
        f"{title}: nobody has {recipe.min_photos} usable faces ({reasons}); give more photos"
        f"{_or_lower_min_photos(recipe)}"
    )


def check_enough(
    identities: Sequence[IdentityPhotos], recipe: FaceRecipe, heldout: Heldout | None
) -> None:
    """InputError where the people are too few even if a face is found in every photo."""
    usable = [one for one in identities if not one.left_out and one.photos >= recipe.min_photos]
    names, trees = [one.name for one in usable], [one.tree for one in usable]
    _sizes(names, recipe, heldout)
    if len(Counter(trees)) == len(usable):
        raise InputError(
            "every person is alone in a folder of photos, and pairs are drawn within one: put the"
            " people's folders into one folder"
        )
    photos = [one.photos for one in usable]
    split = split_names(names, trees, recipe, faces=photos, heldout=heldout)
    if heldout:
        own = _own_trees(names, trees, photos)
        held = np.array([own[name] for name in own if split[name] == HELDOUT])
        two_faces = list(np.arange(2 * len(held)).reshape(-1, 2))
        draw_pairs(two_faces, held, folds=2, per_fold=1, seed=0)


def split_names(
    names: Sequence[str],
    trees: Sequence[int],
    recipe: FaceRecipe,
    *,
    faces: Sequence[int],
    heldout: Heldout | None,
) -> dict[str, int]:
    """Each name's split, seeded; at least two validation identities, and four held out if any.

    `trees` are those of the names, `faces` how many each has there. A tree that would have a single
    validation or held-out identity gets a second one, for pairs stay within a tree; a held-out
    identity counts only where it has most faces, for its pairs are drawn there. Whoever is alone in
    all trees comes last, after those who are alone in that one. Where the people are too few for
    calibration identities of their own, there are none.
    """
    held, validating = _sizes(names, recipe, heldout)
    members = _members(zip(names, trees, strict=True))
    paired = _members(_own_trees(names, trees, faces).items())
    order = np.random.default_rng(recipe.seed).permutation(sorted(set(names))).tolist()
    alone, alone_where_paired = _alone(members), _alone(paired)
    order.sort(key=lambda name: (name in alone, name in alone_where_paired))
    split = dict.fromkeys(order, TRAIN)
    for mark, count, people in ((HELDOUT, held, paired), (VALIDATION, validating, members)):
        left = [name for name in order if split[name] == TRAIN]
        split |= dict.fromkeys(left[:count], mark)
        while second := _second(order, split, people, mark):
            split[second] = mark
    training = [name for name in order if split[name] == TRAIN]
    if len(training) < 2:
        raise _too_few(len(order), recipe, held)
    calibrated = round(len(order) * recipe.calibration_fraction)
    if calibrated >= 2 and len(training) - calibrated >= 2:
        split |= dict.fromkeys(training[:calibrated], CALIBRATION)
    return split


def _members(places: Iterable[tuple[str, int]]) -> dict[int, set[str]]:
    """The people of every tree, from names and trees."""
    members: dict[int, set[str]] = {}
    for name, tree in places:
        members.setdefault(tree, set()).add(name)
    return members


def _alone(members: Mapping[int, set[str]]) -> set[str]:
    """Who has no other person beside them in any tree."""
    in_company = {name for people in members.values() if len(people) > 1 for name in people}
    return set().union(*members.values()) - in_company


def _own_trees(names: Sequence[str], trees: Sequence[int], faces: Sequence[int]) -> dict[str, int]:
    """The tree in which each name has most faces, the first of equals: held-out pairs are of it."""
    rising = sorted(range(len(names)), key=lambda place: (faces[place], -place))
    return {names[place]: trees[place] for place in rising}


def _second(
    order: Sequence[str], split: Mapping[str, int], members: Mapping[int, set[str]], mark: int
) -> str:
    """A training identity for a tree with a single one of that mark; empty where all is well."""
    for people in members.values():
        if sum(split[name] == mark for name in people) == 1:
            for name in order:
                if name in people and split[name] == TRAIN:
                    return name
    return ""


def _sizes(names: Sequence[str], recipe: FaceRecipe, heldout: Heldout | None) -> tuple[int, int]:
    """How many identities are held out, and how many validate; InputError if few are left."""
    people = len(set(names))
    held = max(FEWEST_HELD_OUT, round(people * heldout.fraction)) if heldout else 0
    validating = max(2, round(people * recipe.validation_fraction))
    if people - held - validating < 2:
        raise _too_few(people, recipe, held)
    return held, validating


def _too_few(people: int, recipe: FaceRecipe, held: int) -> InputError:
    parts = "two to train on, two to validate" + f", {held} to evaluate" * bool(held)
    other = ", or evaluate on others: --lfw FOLDER or verification=synthetic" * bool(held)
    return InputError(
        f"{people} people with {recipe.min_photos} usable faces are too few ({parts},"
        f" and nobody twice): give more people{_or_lower_min_photos(recipe)}{other}"
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
