"""The faces that a model is evaluated on: the photos of a verification set as pairs.h5."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tripletlab.errors import InputError
from tripletlab.faces.recipe import NO_FACE, UNALIGNED, VERIFICATION_SETTINGS, Face, FaceRecipe
from tripletlab.faces.store import FORMAT, PEOPLE_UNKNOWN
from tripletlab.faces.store_paths import (
    Preparation,
    delete_leftovers,
    listing,
    made_by,
    store_path,
)
from tripletlab.faces.store_writing import count_rejected, write
from tripletlab.photos.pair_photos import paired_photos
from tripletlab.photos.pairs import PairedPhotos
from tripletlab.photos.sources import VerificationPhotos
from tripletlab.photos.tree import source
from tripletlab.system.parallel import parallel_map

NOT_ON_MAP = "not on the map"  # of photos that are in no pair, and are left out
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
    photos: PairedPhotos | None = None,
) -> Preparation:
    """Write pairs.h5 with every pair of the set; skip it when it is there.

    `photos` are the set's, where the caller has read them.
    No pair is dropped: a photo without a found face gives its middle. Recipes that differ only in
    what they keep to train on, such as their cleaning, share the file. InputError where a photo of
    a pair is missing or damaged, for then the pair could not be evaluated; a damaged one that is
    only for the map is left out.
    """
    settings = {name: settings[name] for name in VERIFICATION_SETTINGS if name in settings}
    photos = photos or paired_photos(verification)
    files, cropped = photos.files, verification.tree.cropped
    spare = [_lfwcrop(verification, file) for file in files]
    inputs = [listing(files), listing([file for file in spare if file]), made_by(settings)]
    key = [FORMAT, settings, verification.title, cropped, *photos.key, inputs]
    path = store_path(folder, title=verification.title, key=key) / "pairs.h5"
    delete_leftovers(folder)
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    work = partial(_read_face, recipe=recipe, cropped=cropped)
    heading = f"Finding faces in {len(files):,} photos, {verification.title}"
    tasks = list(zip(files, spare, strict=True))
    faces = parallel_map(work, tasks, title=heading, size=lambda _: 1)
    _check_pairs(photos, faces)
    _write(path, verification.title, photos, faces, settings)
    return Preparation(path, reused=False)


def _write(
    path: Path,
    title: str,
    photos: PairedPhotos,
    faces: Sequence[Face],
    settings: Mapping[str, Any],
) -> None:
    """Write pairs.h5; its notes name the photos that had a problem."""
    rejected = count_rejected(
        (INSTEAD.get(face.problem, f"{face.problem}; {NOT_ON_MAP}"), [source(file)])
        for file, face in zip(photos.files, faces, strict=True)
        if face.problem is not None
    )
    kept = [face for face in faces if face.image is not None]
    counts = {"photos": len(faces), "kept": len(kept), "rejected": rejected}
    photos = photos.only([face.image is not None for face in faces])
    images = np.stack([face.image for face in kept if face.image is not None])
    fallback = np.array([face.problem == NO_FACE for face in kept])
    sources = tuple(map(source, photos.files))
    write(
        path,
        kind="pairs",
        title=title,
        settings=settings,
        notes=counts if photos.people_known else {**counts, PEOPLE_UNKNOWN: True},
        pairs=("pairs", photos.pairs),
        arrays={"images": images, "fallback": fallback, "map_rows": photos.map_rows},
        texts={"names": photos.names, "called": photos.display_names, "sources": sources},
    )


def _read_face(task: tuple[Path, Path | None], *, recipe: FaceRecipe, cropped: bool) -> Face:
    """What a worker does: the face of a photo, or that of LFWcrop where none is found."""
    cv2.setNumThreads(1)  # the cores are busy with other photos already
    file, spare = task
    face = recipe.verification_face(file, cropped=cropped)
    if face.problem == NO_FACE and spare is not None:
        other = recipe.verification_face(spare, cropped=True)
        return Face(other.image, other.problem or CROPPED)
    return face


def _check_pairs(photos: PairedPhotos, faces: Sequence[Face]) -> None:
    """InputError where a photo of a pair has no face at all."""
    for row in np.union1d(photos.pairs.first, photos.pairs.second):
        if faces[row].image is None:
            raise InputError(
                f"{photos.files[row]}: {faces[row].problem}; its pairs cannot be evaluated without"
                " it"
            )


def _lfwcrop(verification: VerificationPhotos, file: Path) -> Path | None:
    """LFWcrop's crop of the photo, where it is there."""
    if verification.instead is None:
        return None
    spare = verification.instead / f"{file.stem}.pgm"
    return spare if spare.is_file() else None
