"""Which files the photos of a verification set are, and whose."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tripletlab.errors import InputError, brief
from tripletlab.photos.names import normalised
from tripletlab.photos.pairs import (
    NamedPair,
    PairedPhotos,
    PhotoOf,
    in_rows,
    read_pairs_files,
    read_pairs_txt,
)
from tripletlab.photos.sources import MAP_PEOPLE, VerificationPhotos
from tripletlab.photos.tree import display_names, identity_folders, list_identities
from tripletlab.system.progress import say

LONGEST_NUMBER = 18  # digits of a photo's number that are read


def paired_photos(verification: VerificationPhotos) -> PairedPhotos:
    """The photos of a set and all its pairs; a warning where pairs repeat others.

    InputError where a photo is missing.
    """
    photos = verification.read() if verification.read else _named_photos(verification)
    _warn_of_repeated(photos, verification.pairs)
    return photos


def _named_photos(verification: VerificationPhotos) -> PairedPhotos:
    """The photos that files of pairs list by name and number; a warning where folds overlap."""
    named = read_pairs_files(verification.pairs)
    _warn_of_people_in_two_folds(named, verification.pairs)
    photos, on_map = find_pair_photos(verification, named)
    rows = {photo: row for row, photo in enumerate(photos)}
    display = people_of(verification)
    return PairedPhotos(
        tuple(photos.values()),
        tuple(photo.name for photo in photos),
        tuple(display[photo.name] for photo in photos),
        in_rows(named, rows),
        map_rows=np.array([rows[photo] for photo in on_map], np.int64),
        key=(named, on_map),
    )


def _warn_of_people_in_two_folds(named: Sequence[NamedPair], files: Sequence[Path]) -> None:
    """Warn where the threshold of a fold is chosen on pairs of its own people, unlike in LFW."""
    folds: dict[str, set[int]] = {}
    for pair in named:
        for photo in pair[:2]:
            folds.setdefault(photo.name, set()).add(pair.fold)
    if several := sorted(name for name, own in folds.items() if len(own) > 1):
        say(
            f"warning: {', '.join(map(str, files))}: {len(several):,} of {len(folds):,} people are"
            f" in more than one fold, such as {brief(several[0])}: each fold's threshold is chosen"
            " on the other folds, so that accuracy, precision and recall are optimistic"
        )


def _warn_of_repeated(photos: PairedPhotos, files: Sequence[Path]) -> None:
    """Warn of pairs that are listed again, in either order, and of a photo paired with itself."""
    pairs = photos.pairs
    _, first = np.unique(np.sort(pairs.sides, axis=1), axis=0, return_index=True)
    repeated = np.setdiff1d(np.arange(len(pairs)), first)
    alone = np.flatnonzero(pairs.first == pairs.second)
    for rows, what in (
        (repeated, "repeat an earlier pair, and count again"),
        (alone, "are of a photo and itself, whose distance is 0"),
    ):
        if rows.size:
            such = " and ".join(photos.files[row].name for row in pairs.sides[rows[0]])
            say(
                f"warning: {', '.join(map(str, files))}: {rows.size:,} of {len(pairs):,} pairs"
                f" {what}, such as {such}"
            )


def people_of(verification: VerificationPhotos) -> dict[str, str]:
    """The names of the set's people, empty where not known, by the folders that identify them."""
    if verification.read:
        photos = verification.read()
        return dict(zip(photos.names, photos.display_names, strict=True))
    return display_names(verification.tree, identity_folders(verification.tree))


def find_pair_photos(
    verification: VerificationPhotos, named: Sequence[NamedPair]
) -> tuple[dict[PhotoOf, Path], list[PhotoOf]]:
    """The file of every photo in the pairs and on the map, and the photos of the map.

    InputError where a photo is missing, or may be one of several files.
    """
    identities = list_identities(verification.tree)
    known = by_number(identities)
    on_map = [
        photo
        for person in verification.map_people
        for photo in [one for one in known if one.name == person][:MAP_PEOPLE]
    ]
    wanted = sorted({photo for pair in named for photo in pair[:2]} | set(on_map))
    for photo in wanted:
        if photo not in known:
            raise _missing(photo, verification, identities)
        if len(known[photo]) > 1:
            files = ", ".join(path.name for path in known[photo])
            raise InputError(
                f"photo {photo.number} of {photo.name} can be {files}: rename all but one, or move"
                " them out of the folder"
            )
    return {photo: known[photo][0] for photo in wanted}, on_map


def by_number(identities: Mapping[str, Sequence[Path]]) -> dict[PhotoOf, list[Path]]:
    """The files that may be meant by a person and a number: those of LFW's own name, Ann_0004,
    and only where there is none, those that end in the number."""
    exact: dict[PhotoOf, list[Path]] = {}
    other: dict[PhotoOf, list[Path]] = {}
    for name, paths in identities.items():
        for path in paths:
            if digits := re.search(r"[0-9]+$", path.stem):
                photo = PhotoOf(name, int(digits[0][-LONGEST_NUMBER:]))
                own = path.stem == f"{name}_{photo.number:04d}"
                (exact if own else other).setdefault(photo, []).append(path)
    return dict(sorted((other | exact).items()))


def _missing(
    photo: PhotoOf, verification: VerificationPhotos, identities: Mapping[str, Sequence[Path]]
) -> InputError:
    """Why a photo is not there: another spelling of the name, or folders at another depth."""
    folder = verification.tree.folders[0]
    files = [file for own in identities.values() for file in own]
    if all(file.is_dir() for file in files):
        return InputError(
            f"{folder}: its sub-folders hold folders, not photos; move each person's folder from"
            f" {files[0].parent} into it"
        )
    spelled = [name for name in identities if normalised(name) == normalised(photo.name) != ""]
    hint = f" (did you mean {spelled[0]}?)" if spelled and photo.name not in identities else ""
    file = _file_with(photo, verification.pairs)
    return InputError(
        f"{file} names photo {photo.number} of {photo.name}, which is not in {folder}{hint}"
    )


def _file_with(photo: PhotoOf, files: Sequence[Path]) -> Path:
    """The first of the files of pairs that names the photo."""
    *others, last = files
    naming = (file for file in others if any(photo in pair[:2] for pair in read_pairs_txt(file)))
    return next(naming, last)
