"""Pairs of identities that are not trained on: held-out ones as pairs.h5, those of calibration."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.store import CALIBRATION, HELDOUT, FaceStore
from tripletlab.faces.store_paths import Preparation, store_path
from tripletlab.faces.store_writing import write
from tripletlab.photos.names import first_spellings
from tripletlab.photos.pairs import Pairs, draw_pairs
from tripletlab.photos.sources import MAP_PEOPLE, Heldout
from tripletlab.system.progress import say

TITLE = "held-out identities"


def heldout_pairs(faces: FaceStore, heldout: Heldout, *, beside: Path, fresh: bool) -> Preparation:
    """Write pairs.h5 from the held-out identities of faces.h5, beside it; skip it when it is there.

    Someone who is in two trees has pairs in the one that has more faces of them: two folds could
    share them otherwise. Where the people are too few for so many folds there are fewer, and a
    line says so. InputError when they cannot fill two.
    """
    key = [faces.fingerprint, vars(heldout)]
    path = store_path(beside.parent, title=TITLE, key=key) / "pairs.h5"
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    entries, groups = _groups(faces, HELDOUT)
    drawn = _in_most_folds(groups, faces.trees[entries], heldout)
    rows = np.concatenate(groups)  # of faces.images; a pair counts from the first of them
    place = np.zeros(len(faces.images), np.int64)
    place[rows] = np.arange(len(rows))
    most = sorted(groups, key=len, reverse=True)[:MAP_PEOPLE]
    count = len(rows)
    write(
        path,
        kind="pairs",
        title=TITLE,
        settings=faces.settings,
        notes={"photos": count, "kept": count, "rejected": {}, "held_out_of": faces.fingerprint},
        pairs=("pairs", replace(drawn, first=place[drawn.first], second=place[drawn.second])),
        arrays={
            "images": faces.images[rows],
            "fallback": np.zeros(count, bool),
            "map_rows": place[np.concatenate([group[:MAP_PEOPLE] for group in most])],
        },
        texts={
            "names": tuple(faces.names[entry] for entry in faces.entries[rows]),
            "called": tuple(faces.display_names[entry] for entry in faces.entries[rows]),
            "sources": tuple(faces.sources[row] for row in rows),
        },
    )
    return Preparation(path, reused=False)


def calibration_pairs(faces: FaceStore) -> Pairs | None:
    """Pairs of faces of the calibration identities, seeded; None where these cannot make any."""
    entries, groups = _groups(faces, CALIBRATION)
    try:
        return draw_pairs(
            groups,
            faces.trees[entries],
            folds=1,
            per_fold=int(faces.settings["validation_pairs"]),
            seed=int(faces.settings["seed"]),
        )
    except InputError:  # too few people, or none of them in one tree
        return None


def _groups(faces: FaceStore, split: int) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """Of every identity of a split the entry with the most faces, and the rows of its faces.

    In the order of the store. Names that differ only in their spelling count as one.
    """
    first = first_spellings(faces.names)
    sizes, entries = np.diff(faces.offsets), np.flatnonzero(faces.split == split)
    largest = {first[faces.names[e]]: e for e in sorted(entries, key=lambda e: (sizes[e], -e))}
    chosen = np.array(sorted(largest.values()), np.int64)
    return chosen, [np.arange(*faces.offsets[entry : entry + 2]) for entry in chosen]


def _in_most_folds(
    groups: Sequence[NDArray[np.int64]], trees: NDArray[np.int64], heldout: Heldout
) -> Pairs:
    """Pairs in as many folds as asked for, or in the most that the people can fill."""
    for folds in range(heldout.folds, 1, -1):
        try:
            drawn = draw_pairs(
                groups, trees, folds=folds, per_fold=heldout.per_fold, seed=heldout.seed
            )
            break
        except InputError:
            if folds == 2:
                raise
    if folds < heldout.folds:
        say(
            f"{len(groups)} people are held out, too few for verification.folds={heldout.folds}:"
            f" the pairs are in {folds} folds"
        )
    return drawn
