"""Which identities train, validate, calibrate, and are held out for the evaluation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.identities import IdentityPhotos
from tripletlab.faces.recipe import LEAST_PHOTOS, FaceRecipe
from tripletlab.faces.store import CALIBRATION, HELDOUT, TRAIN, VALIDATION
from tripletlab.photos.names import first_spellings
from tripletlab.photos.pairs import Pairs, draw_pairs
from tripletlab.photos.sources import Heldout

FEWEST_HELD_OUT = 4  # two folds of two people


def check_enough(
    identities: Sequence[IdentityPhotos], recipe: FaceRecipe, heldout: Heldout | None
) -> None:
    """InputError where the people are too few even if a face is found in every photo."""
    usable = [one for one in identities if not one.left_out and one.photos >= recipe.min_photos]
    names, trees = _spelled_alike([one.name for one in usable]), [one.tree for one in usable]
    _sizes(names, recipe, heldout)
    if len(set(trees)) == len(usable):
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
    unusable: str = "",
) -> dict[str, int]:
    """Each name's split, seeded; at least two validation identities, and four held out if any.

    Names that differ only in their spelling get one split, since they may be one person. `trees`
    are those of the names, `faces` how many each has there. A tree that would have a single
    validation or held-out identity gets a second one, for pairs stay within a tree; a held-out
    identity counts only where it has most faces, for its pairs are drawn there. Whoever is alone in
    all trees comes last, after those who are alone in that one. Where the people are too few for
    calibration identities of their own, there are none. `unusable` says how many photos were
    rejected for which reason, if there were any: an error names them.
    """
    written, names = names, _spelled_alike(names)
    held, validating = _sizes(names, recipe, heldout, unusable)
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
        raise _too_few(len(order), recipe, held, unusable)
    calibrated = round(len(order) * recipe.calibration_fraction)
    if calibrated >= 2 and len(training) - calibrated >= 2:
        split |= dict.fromkeys(training[:calibrated], CALIBRATION)
    return {name: split[first] for name, first in zip(written, names, strict=True)}


def _spelled_alike(names: Sequence[str]) -> list[str]:
    """The names, those that differ only in their spelling in one of theirs."""
    first = first_spellings(names)
    return [first[name] for name in names]


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


def _sizes(
    names: Sequence[str], recipe: FaceRecipe, heldout: Heldout | None, unusable: str = ""
) -> tuple[int, int]:
    """How many identities are held out, and how many validate; InputError if few are left."""
    people = len(set(names))
    least = FEWEST_HELD_OUT if heldout else 0
    if people - least - 2 < 2:
        raise _too_few(people, recipe, least, unusable)
    held = max(least, round(people * heldout.fraction)) if heldout else 0
    validating = max(2, round(people * recipe.validation_fraction))
    calibrated = round(people * recipe.calibration_fraction)
    if people - held - validating - (calibrated if calibrated >= 2 else 0) < 2:
        raise _fractions_too_large(people, recipe, held, validating, heldout)
    return held, validating


def _fractions_too_large(
    people: int, recipe: FaceRecipe, held: int, validating: int, heldout: Heldout | None
) -> InputError:
    """The error where more people would do, but so would smaller fractions of these."""
    parts = [f"verification.fraction={heldout.fraction:g} holds out {held}"] if heldout else []
    fraction = recipe.validation_fraction
    parts += [f"faces.validation_fraction={fraction:g} validates with {validating}"]
    if (calibrated := round(people * recipe.calibration_fraction)) >= 2:
        fraction = recipe.calibration_fraction
        parts += [f"faces.calibration_fraction={fraction:g} calibrates with {calibrated}"]
    return InputError(
        f"of {people} people, {', '.join(parts)}, which leaves fewer than two to train on: lower"
        " these fractions"
    )


def _too_few(people: int, recipe: FaceRecipe, held: int, unusable: str) -> InputError:
    parts = "two to train on, two to validate" + f", {held} to evaluate" * bool(held)
    rejected = f" ({unusable})" * bool(unusable)
    other = ", or evaluate on others: --lfw FOLDER or verification=synthetic" * bool(held)
    return InputError(
        f"{people} people with at least {recipe.min_photos} usable faces{rejected} are too few"
        f" ({parts}, and nobody twice): give more people{or_lower_min_photos(recipe)}{other}"
    )


def or_lower_min_photos(recipe: FaceRecipe) -> str:
    """What else helps where photos are too few."""
    return ", or lower faces.min_photos" if recipe.min_photos > LEAST_PHOTOS else ""


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
