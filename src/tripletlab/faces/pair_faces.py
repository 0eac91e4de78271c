"""The faces that a model is evaluated on: the photos of pairs.txt as pairs.h5."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.face_store_writing import EXAMPLES
from tripletlab.faces.recipe import NO_FACE, UNALIGNED, VERIFICATION_SETTINGS, Face, FaceRecipe
from tripletlab.faces.store import FORMAT
from tripletlab.faces.store_paths import (
    Preparation,
    delete_leftovers,
    listing,
    made_by,
    store_path,
)
from tripletlab.faces.store_writing import write
from tripletlab.photos.pair_photos import find_pair_photos
from tripletlab.photos.pairs import NamedPair, Pairs, PhotoOf, read_pairs_files
from tripletlab.photos.sources import VerificationPhotos
from tripletlab.photos.tree import Tree, display_names, identity_folders, source
from tripletlab.system.progress import parallel_map

CROPPED = "no face found, LFWcrop's taken"
INSTEAD = {  # what a problem means for a photo whose pairs are all evaluated
    NO_FACE: f"{NO_FACE}, middle taken",
    UNALIGNED: f"{UNALIGNED}, taken by its box",
    CROPPED: CROPPED,
}


def prepare_pairs(
    verification: VerificationPhotos,
    recipe: FaceRecipe,
    *,
    settings: Mapping[str, Any],
    folder: Path,
    fresh: bool,
) -> Preparation:
    """Write pairs.h5 with every pair of pairs.txt; skip it when it is there.

    No pair is dropped: a photo without a found face gives its middle. Recipes that differ only in
    what they keep to train on, such as their cleaning, share the file. InputError where a photo is
    missing or damaged, for then its pair could not be evaluated.
    """
    settings = {name: settings[name] for name in VERIFICATION_SETTINGS if name in settings}
    named = read_pairs_files(verification.pairs)
    photos, map_photos = find_pair_photos(verification, named)
    files = list(photos.values())
    cropped = verification.tree.cropped
    spare = [_lfwcrop(verification, file) for file in files]
    inputs = [listing(files), listing([file for file in spare if file]), made_by(settings)]
    key = [FORMAT, settings, verification.title, cropped, named, map_photos, inputs]
    path = store_path(folder, title=verification.title, key=key) / "pairs.h5"
    delete_leftovers(folder)
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    reader = _PairReader(recipe, cropped)
    images, problems = _faces(list(zip(files, spare, strict=True)), reader, verification.title)
    rows = {photo: row for row, photo in enumerate(photos)}
    write(
        path,
        kind="pairs",
        title=verification.title,
        settings=settings,
        notes={"photos": len(files), "kept": len(files), "rejected": _counted(files, problems)},
        pairs=("pairs", _numbered(named, rows)),
        arrays={
            "images": images,
            "fallback": np.array([problem == NO_FACE for problem in problems]),
            "map_rows": np.array([rows[photo] for photo in map_photos], np.int64),
        },
        texts=_texts(photos, verification.tree),
    )
    return Preparation(path, reused=False)


def _texts(photos: Mapping[PhotoOf, Path], tree: Tree) -> dict[str, tuple[str, ...]]:
    """Whose photo each is, by folder and by display name, and how it is named in a store."""
    names = display_names(tree, identity_folders(tree))
    return {
        "names": tuple(photo.name for photo in photos),
        "called": tuple(names[photo.name] for photo in photos),
        "sources": tuple(map(source, photos.values())),
    }


@dataclass(frozen=True)
class _PairReader:
    """What a worker does: the face of a photo, or that of LFWcrop where none is found."""

    recipe: FaceRecipe
    cropped: bool

    def __call__(self, task: tuple[Path, Path | None]) -> Face:
        cv2.setNumThreads(1)  # the cores are busy with other photos already
        file, spare = task
        face = self.recipe.verification_face(file, cropped=self.cropped)
        if (face.image is None or face.problem == NO_FACE) and spare is not None:
            other = self.recipe.verification_face(spare, cropped=True)
            return Face(other.image, other.problem or CROPPED)
        return face


def _faces(
    tasks: Sequence[tuple[Path, Path | None]], reader: _PairReader, title: str
) -> tuple[NDArray[np.uint8], list[str | None]]:
    """A face of every file (n, size, size), and what was wrong with it (n,)."""
    heading = f"Finding faces in {len(tasks):,} photos, {title}"
    read = parallel_map(reader, tasks, title=heading, size=lambda _: 1)
    images = []
    for (file, _), face in zip(tasks, read, strict=True):
        if face.image is None:
            raise InputError(f"{file}: {face.problem}; its pairs cannot be evaluated without it")
        images.append(face.image)
    return np.stack(images), [face.problem for face in read]


def _counted(files: Sequence[Path], problems: Sequence[str | None]) -> dict[str, dict[str, Any]]:
    """For every problem how many photos have it, and some of them."""
    counts = dict[str, dict[str, Any]]()
    for file, problem in zip(files, problems, strict=True):
        if problem is not None:
            known = counts.setdefault(INSTEAD[problem], {"photos": 0, "such_as": []})
            known["photos"] += 1
            known["such_as"] += [source(file)][: len(known["such_as"]) < EXAMPLES]
    return counts


def _lfwcrop(verification: VerificationPhotos, file: Path) -> Path | None:
    """LFWcrop's crop of the photo, where it is there."""
    if verification.instead is None:
        return None
    spare = verification.instead / f"{file.stem}.pgm"
    return spare if spare.is_file() else None


def _numbered(named: Sequence[NamedPair], rows: Mapping[PhotoOf, int]) -> Pairs:
    """The pairs by the rows of their photos."""
    return Pairs(
        np.array([rows[pair.first] for pair in named]),
        np.array([rows[pair.second] for pair in named]),
        np.array([pair.matched for pair in named]),
        np.array([pair.fold for pair in named]),
    )
