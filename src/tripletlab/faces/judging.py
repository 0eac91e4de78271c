"""The faces that judge a model: the photos of pairs.txt, or people held out of a face store."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.preparation import Preparation, listing, source, store_path
from tripletlab.faces.recipe import Face, FaceRecipe
from tripletlab.faces.store import FORMAT, HELDOUT, FaceStore, write
from tripletlab.photos.pairs import NamedPair, Pairs, PhotoOf, draw_pairs, read_pairs_txt
from tripletlab.photos.sources import MAP_PEOPLE, Heldout, VerificationPhotos
from tripletlab.photos.tree import list_identities
from tripletlab.progress import spread


def prepare_pairs(
    verification: VerificationPhotos,
    recipe: FaceRecipe,
    *,
    settings: Mapping[str, Any],
    folder: Path,
    fresh: bool,
) -> Preparation:
    """Write pairs.h5 with every pair of pairs.txt; skip it when it is there.

    No pair is dropped: a photo without a found face gives its middle. InputError where a photo is
    missing or damaged, for then its pair could not be judged.
    """
    named = read_pairs_txt(verification.pairs)
    photos, map_photos = _photos(verification, named)
    files = list(photos.values())
    cropped = verification.tree.cropped
    key = [FORMAT, settings, verification.title, cropped, named, map_photos, listing(files)]
    path = store_path(folder, title=verification.title, key=key) / "pairs.h5"
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    images, fallback = _faces(files, _Reader(recipe, cropped), title=verification.title)
    rows = {photo: row for row, photo in enumerate(photos)}
    middles = [source(file) for file, middle in zip(files, fallback, strict=True) if middle]
    _write(
        path,
        title=verification.title,
        settings=settings,
        notes={"photos": len(photos), "rejected": {"no face found, middle taken": middles}},
        pairs=_numbered(named, rows),
        images=images,
        names=tuple(photo.name for photo in photos),
        sources=tuple(map(source, files)),
        fallback=fallback,
        map_rows=np.array([rows[photo] for photo in map_photos], np.int64),
    )
    return Preparation(path, reused=False)


def heldout_pairs(faces: FaceStore, heldout: Heldout, *, beside: Path, fresh: bool) -> Preparation:
    """Write pairs.h5 from the held-out identities of faces.h5, beside it; skip it when it is there.

    Someone who is in two trees is judged in the one that has more faces of them: two folds could
    share them otherwise. InputError when too few people are held out for so many folds.
    """
    title = "held-out identities"
    path = store_path(beside.parent, title=title, key=[faces.fingerprint, vars(heldout)])
    path = path / "pairs.h5"
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    chosen = _once(faces, np.flatnonzero(faces.split == HELDOUT))
    groups = [np.arange(*faces.offsets[entry : entry + 2]) for entry in chosen]
    drawn = draw_pairs(
        groups,
        faces.trees[chosen],
        folds=heldout.folds,
        per_fold=heldout.per_fold,
        seed=heldout.seed,
    )
    rows = np.concatenate(groups)  # of faces.images; a pair counts from the first of them
    place = np.zeros(len(faces.images), np.int64)
    place[rows] = np.arange(len(rows))
    most = sorted(groups, key=len, reverse=True)[:MAP_PEOPLE]
    _write(
        path,
        title=title,
        settings=faces.settings,
        notes={"photos": len(rows), "rejected": {}},
        pairs=Pairs(place[drawn.first], place[drawn.second], drawn.matched, drawn.fold),
        images=faces.images[rows],
        names=tuple(faces.names[entry] for entry in faces.entries[rows]),
        sources=tuple(faces.sources[row] for row in rows),
        fallback=np.zeros(len(rows), bool),
        map_rows=place[np.concatenate([group[:MAP_PEOPLE] for group in most])],
    )
    return Preparation(path, reused=False)


def _once(faces: FaceStore, entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of every identity the entry with the most faces, in the order of the store."""
    sizes = np.diff(faces.offsets)
    largest = {faces.names[e]: e for e in sorted(entries, key=lambda e: (sizes[e], -e))}
    return np.array(sorted(largest.values()), np.int64)


@dataclass(frozen=True)
class _Reader:
    recipe: FaceRecipe
    cropped: bool

    def __call__(self, file: Path) -> Face:
        cv2.setNumThreads(1)  # the cores are busy with other photos already
        return self.recipe.face_or_middle(file, cropped=self.cropped)


def _faces(
    files: list[Path], reader: _Reader, *, title: str
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A face of every file (n, size, size), and whether it is but the middle (n,)."""
    heading = f"Finding faces in {len(files):,} photos, {title}"
    read = spread(reader, files, title=heading, size=lambda _: 1)
    images = []
    for file, face in zip(files, read, strict=True):
        if face.image is None:
            raise InputError(f"{file}: {face.problem}; its pairs cannot be judged without it")
        images.append(face.image)
    return np.stack(images), np.array([face.problem is not None for face in read])


def _numbered(named: list[NamedPair], rows: Mapping[PhotoOf, int]) -> Pairs:
    """The pairs by the rows of their photos."""
    return Pairs(
        np.array([rows[pair.first] for pair in named]),
        np.array([rows[pair.second] for pair in named]),
        np.array([pair.matched for pair in named]),
        np.array([pair.fold for pair in named]),
    )


def _photos(
    verification: VerificationPhotos, named: list[NamedPair]
) -> tuple[dict[PhotoOf, Path], list[PhotoOf]]:
    """The file of every photo in the pairs and on the map, and the photos of the map."""
    identities = list_identities(verification.tree)
    known = {
        PhotoOf(name, int(path.stem[-4:])): path
        for name, paths in identities.items()
        for path in paths
        if path.stem[-4:].isdigit()
    }
    on_map = [
        photo
        for person in verification.map_people
        for photo in [one for one in known if one.name == person][:MAP_PEOPLE]
    ]
    wanted = {photo for pair in named for photo in pair[:2]} | set(on_map)
    for name, number in sorted(wanted - known.keys()):
        raise InputError(
            f"{verification.pairs} names photo {number} of {name}, which is not in"
            f" {verification.tree.folders[0]}"
        )
    return {photo: known[photo] for photo in sorted(wanted)}, on_map


def _write(
    path: Path,
    *,
    title: str,
    settings: Mapping[str, Any],
    notes: Mapping[str, Any],
    pairs: Pairs,
    names: tuple[str, ...],
    sources: tuple[str, ...],
    **arrays: NDArray[Any],
) -> None:
    write(
        path,
        kind="pairs",
        title=title,
        settings=settings,
        notes=notes,
        pairs=("pairs", pairs),
        arrays=arrays,
        texts={"names": names, "sources": sources},
    )
