"""Verification sets whose photos lie in one folder, and whose pairs are lists of file names."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tripletlab.errors import InputError
from tripletlab.photos.folds import every_fold_has_both
from tripletlab.photos.names import numbered
from tripletlab.photos.pairs import Indices, PairedPhotos, Pairs, in_rows
from tripletlab.photos.sources import MAP_PEOPLE, VerificationPhotos
from tripletlab.photos.tree import Tree
from tripletlab.system.progress import say

CROPS = ("align", "crop")  # in the names of folders of cropped faces


class ListedPair(NamedTuple):
    """Two file names, whether they are labelled as one person, and the fold from 0."""

    first: str
    second: str
    matched: bool
    fold: int


class PairList(NamedTuple):
    """The pairs of a file; `person` reads from a photo's file name whose it is."""

    file: Path
    pairs: Sequence[ListedPair]
    person: Callable[[str], str]


def listed_photos(
    listed: PairList, *, title: str, photos: str | None, cropped: bool
) -> VerificationPhotos:
    """The set of a list of pairs; `photos` is the folder of its photos beside the list.

    None searches for it: the folder below the list's own that holds the first photo. Where several
    do, `cropped` says whether it is the one that is named as aligned or cropped. InputError where
    there is none, or still more than one.
    """
    folder = listed.file.parent / photos if photos else _photo_folder(listed, cropped=cropped)
    read = cache(partial(_paired, listed, folder))  # read for its people and for its pairs
    tree = Tree(title, (folder.parent,), cropped)
    return VerificationPhotos(title, tree, (listed.file,), (), read=read)


def _photo_folder(listed: PairList, *, cropped: bool) -> Path:
    root, name = listed.file.parent, listed.pairs[0].first
    found = sorted(Path(folder) for folder, _, files in os.walk(root) if name in files)
    of_kind = [one for one in found if _is_of_crops(one.relative_to(root)) == cropped]
    same = of_kind or found
    if len(same) == 1:
        if cropped and not of_kind:
            say(
                f"warning: {listed.file}: no folder of its photos is named as aligned or cropped:"
                f" those in {same[0]} are taken whole, as verification.cropped=true asks"
            )
        return same[0]
    where = f"in {same[0]} and in {same[1]}" if same else f"nowhere below {root}"
    raise InputError(
        f"{listed.file}: its first photo, {name}, is {where}; give verification.photos=FOLDER, the"
        " folder of the photos beside the list"
    )


def _is_of_crops(folder: Path) -> bool:
    return any(word in part.lower() for part in folder.parts for word in CROPS)


def _paired(listed: PairList, folder: Path) -> PairedPhotos:
    """InputError where a photo is missing, or a fold lacks matched or mismatched pairs."""
    names = sorted({name for pair in listed.pairs for name in pair[:2]})
    for name in names:
        if not (folder / name).exists():
            raise InputError(f"{listed.file} names {name}, which is not in {folder}")
    people = [listed.person(name) for name in names]
    unknown = numbered(set(people))
    rows = {name: row for row, name in enumerate(names)}
    pairs = in_rows(listed.pairs, rows)
    _check(pairs, people, listed)
    return PairedPhotos(
        tuple(folder / name for name in names),
        tuple(people),
        tuple("" if person in unknown else person for person in people),
        pairs,
        map_rows=_map_rows(people),
        key=(listed.pairs,),
    )


def _check(pairs: Pairs, people: Sequence[str], listed: PairList) -> None:
    """Every fold can be evaluated; a warning where labels and names contradict each other."""
    if not every_fold_has_both(pairs.matched, pairs.fold, folds=int(pairs.fold.max()) + 1):
        raise InputError(f"{listed.file}: a fold has no matched, or no mismatched pairs")
    same = np.array(people)[pairs.first] == np.array(people)[pairs.second]
    if (odd := np.flatnonzero(same != pairs.matched)).size:
        pair = listed.pairs[odd[0]]
        say(
            f"warning: {listed.file}: {odd.size:,} pairs are labelled otherwise than their photos"
            f" are named, such as {pair.first} and {pair.second}; the labels are evaluated"
        )


def _map_rows(people: Sequence[str]) -> Indices:
    """The first photos of the people who have enough of them for a map."""
    many = sorted(name for name, count in Counter(people).items() if count >= MAP_PEOPLE)
    rows = [np.flatnonzero(np.array(people) == name)[:MAP_PEOPLE] for name in many[:MAP_PEOPLE]]
    return np.concatenate([np.zeros(0, np.int64), *rows])
