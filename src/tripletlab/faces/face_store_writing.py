"""A finished journal becomes faces.h5."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.identities import IdentityPhotos
from tripletlab.faces.journal import Journal, Kept
from tripletlab.faces.recipe import NO_FACE, FaceRecipe
from tripletlab.faces.splits import or_lower_min_photos, split_names, validation_pairs
from tripletlab.faces.store_writing import EXAMPLES, Blocks, Lines, count_rejected, write
from tripletlab.photos.sources import Heldout, TrainingPhotos


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
    arrays = _arrays(kept, chosen, recipe, heldout, unusable=_reasons(rejected))
    used, unused = int(arrays["offsets"][-1]), sum(one["photos"] for one in rejected.values())
    images = Blocks((used, recipe.size, recipe.size), np.dtype(np.uint8), journal.images())
    write(
        path,
        kind="faces",
        title=photos.title,
        settings=settings,
        notes={
            "photos": used + unused,  # as read: some may have been added since they were counted
            "kept": used,
            "rejected": rejected,
            "hygiene": hygiene,
            "people": _people(identities, {one.name for one in chosen}),
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
    *,
    unusable: str,
) -> dict[str, NDArray[Any]]:
    """All arrays but the images, by their names in the file."""
    names, trees = [one.name for one in chosen], [one.tree for one in chosen]
    faces = [one.faces for one in kept]
    split = split_names(names, trees, recipe, faces=faces, heldout=heldout, unusable=unusable)
    return {
        "offsets": np.cumsum([0, *faces]),
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


def _people(identities: Sequence[IdentityPhotos], kept: Collection[str]) -> dict[str, Any]:
    """How many people have photos, and who of them has too few faces, without those left out."""
    names = dict.fromkeys(one.name for one in identities if not one.left_out)
    lost = [name for name in names if name not in kept]
    return {"found": len(names), "too_few_faces": len(lost), "such_as": lost[:EXAMPLES]}


def _nobody_usable(title: str, rejected: Mapping[str, Any], recipe: FaceRecipe) -> InputError:
    advice = f"give more photos{or_lower_min_photos(recipe)}"
    if next(iter(rejected)) == NO_FACE:  # the most frequent reason
        advice = "give photos that a face fills as photos.cropped=[FOLDER], or try faces=yunet"
    return InputError(
        f"{title}: nobody has at least {recipe.min_photos} usable faces ({_reasons(rejected)});"
        f" {advice}"
    )


def _reasons(rejected: Mapping[str, Any]) -> str:
    """How many photos were rejected for each reason."""
    return "; ".join(f"{why}: {found['photos']:,}" for why, found in rejected.items())


def _rejected(journal: Journal) -> dict[str, dict[str, Any]]:
    """The most frequent reason first; the photos that are named are of different identities."""
    why = itemgetter(1)
    counts = count_rejected(
        (reason, [photo for photo, _ in photos])
        for _, rejected in journal.entries()
        for reason, photos in itertools.groupby(sorted(rejected, key=why), key=why)
    )
    return dict(sorted(counts.items(), key=lambda item: -item[1]["photos"]))
