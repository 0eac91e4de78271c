"""The faces that judge a model: the photos of pairs.txt, or people held out of a face store."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.face_store_writing import EXAMPLES
from tripletlab.faces.preparation import Preparation, listing, made_by, store_path
from tripletlab.faces.recipe import NO_FACE, TO_JUDGE, UNALIGNED, Face, FaceRecipe
from tripletlab.faces.store import CALIBRATION, FORMAT, HELDOUT, FaceStore
from tripletlab.faces.storing import write
from tripletlab.photos.pairs import NamedPair, Pairs, PhotoOf, draw_pairs, read_pairs_files
from tripletlab.photos.sources import MAP_PEOPLE, Heldout, VerificationPhotos
from tripletlab.photos.tree import identity_folders, list_identities, names_of, source
from tripletlab.system.progress import parallel_map, say

LONGEST_NUMBER = 18  # digits of a photo's number that are read
CROPPED = "no face found, LFWcrop's taken"
INSTEAD = {  # what a problem means for a photo that has to be judged
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
    what they keep to learn from, such as their cleaning, share the file. InputError where a photo
    is missing or damaged, for then its pair could not be judged.
    """
    settings = {name: settings[name] for name in TO_JUDGE if name in settings}
    named = read_pairs_files(verification.pairs)
    photos, map_photos = _photos(verification, named)
    files = list(photos.values())
    cropped = verification.tree.cropped
    spare = [_instead(verification, file) for file in files]
    inputs = [listing(files), listing([file for file in spare if file]), made_by(settings)]
    key = [FORMAT, settings, verification.title, cropped, named, map_photos, inputs]
    path = store_path(folder, title=verification.title, key=key) / "pairs.h5"
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    reader = _Reader(recipe, cropped)
    images, problems = _faces(list(zip(files, spare, strict=True)), reader, verification.title)
    rows = {photo: row for row, photo in enumerate(photos)}
    called = names_of(verification.tree, identity_folders(verification.tree))
    _write(
        path,
        title=verification.title,
        settings=settings,
        notes={"photos": len(photos), "kept": len(photos), "rejected": _told(files, problems)},
        pairs=_numbered(named, rows),
        images=images,
        names=tuple(photo.name for photo in photos),
        called=tuple(called[photo.name] for photo in photos),
        sources=tuple(map(source, files)),
        fallback=np.array([problem == NO_FACE for problem in problems]),
        map_rows=np.array([rows[photo] for photo in map_photos], np.int64),
    )
    return Preparation(path, reused=False)


def heldout_pairs(faces: FaceStore, heldout: Heldout, *, beside: Path, fresh: bool) -> Preparation:
    """Write pairs.h5 from the held-out identities of faces.h5, beside it; skip it when it is there.

    Someone who is in two trees is judged in the one that has more faces of them: two folds could
    share them otherwise. Where the people are too few for so many folds there are fewer, and a
    line says so. InputError when they cannot fill two.
    """
    title = "held-out identities"
    path = store_path(beside.parent, title=title, key=[faces.fingerprint, vars(heldout)])
    path = path / "pairs.h5"
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    chosen = _once(faces, np.flatnonzero(faces.split == HELDOUT))
    groups = [np.arange(*faces.offsets[entry : entry + 2]) for entry in chosen]
    drawn = _in_most_folds(groups, faces.trees[chosen], heldout)
    rows = np.concatenate(groups)  # of faces.images; a pair counts from the first of them
    place = np.zeros(len(faces.images), np.int64)
    place[rows] = np.arange(len(rows))
    most = sorted(groups, key=len, reverse=True)[:MAP_PEOPLE]
    _write(
        path,
        title=title,
        settings=faces.settings,
        notes={
            "photos": len(rows),
            "kept": len(rows),
            "rejected": {},
            "held_out_of": faces.fingerprint,
        },
        pairs=Pairs(place[drawn.first], place[drawn.second], drawn.matched, drawn.fold),
        images=faces.images[rows],
        names=tuple(faces.names[entry] for entry in faces.entries[rows]),
        called=tuple(faces.called[entry] for entry in faces.entries[rows]),
        sources=tuple(faces.sources[row] for row in rows),
        fallback=np.zeros(len(rows), bool),
        map_rows=place[np.concatenate([group[:MAP_PEOPLE] for group in most])],
    )
    return Preparation(path, reused=False)


def _in_most_folds(
    groups: Sequence[NDArray[np.int64]], trees: NDArray[np.int64], heldout: Heldout
) -> Pairs:
    """Pairs in as many folds as asked for, or in the most that the people can fill."""
    for folds in range(heldout.folds, 1, -1):
        try:
            drawn = draw_pairs(
                groups, trees, folds=folds, per_fold=heldout.per_fold, seed=heldout.seed
            )
        except InputError:
            if folds == 2:
                raise
        else:
            break
    if folds < heldout.folds:
        say(
            f"{len(groups)} people are held out, too few for verification.folds={heldout.folds}:"
            f" the pairs are in {folds} folds"
        )
    return drawn


def calibration_pairs(faces: FaceStore) -> Pairs | None:
    """Pairs of faces of the calibration identities, seeded; None where these cannot make any."""
    chosen = _once(faces, np.flatnonzero(faces.split == CALIBRATION))
    groups = [np.arange(*faces.offsets[entry : entry + 2]) for entry in chosen]
    try:
        return draw_pairs(
            groups,
            faces.trees[chosen],
            folds=1,
            per_fold=int(faces.settings["validation_pairs"]),
            seed=int(faces.settings["seed"]),
        )
    except InputError:  # too few people, or none of them in one tree
        return None


def _once(faces: FaceStore, entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of every identity the entry with the most faces, in the order of the store."""
    sizes = np.diff(faces.offsets)
    largest = {faces.names[e]: e for e in sorted(entries, key=lambda e: (sizes[e], -e))}
    return np.array(sorted(largest.values()), np.int64)


@dataclass(frozen=True)
class _Reader:
    recipe: FaceRecipe
    cropped: bool

    def __call__(self, task: tuple[Path, Path | None]) -> Face:
        cv2.setNumThreads(1)  # the cores are busy with other photos already
        file, spare = task
        face = self.recipe.face_to_judge(file, cropped=self.cropped)
        if (face.image is None or face.problem == NO_FACE) and spare is not None:
            other = self.recipe.face_to_judge(spare, cropped=True)
            return Face(other.image, other.problem or CROPPED)
        return face


def _told(files: list[Path], problems: list[str | None]) -> dict[str, dict[str, Any]]:
    """For every problem how many photos have it, and some of them."""
    told = dict[str, dict[str, Any]]()
    for file, problem in zip(files, problems, strict=True):
        if problem is not None:
            known = told.setdefault(INSTEAD[problem], {"photos": 0, "such_as": []})
            known["photos"] += 1
            known["such_as"] += [source(file)][: len(known["such_as"]) < EXAMPLES]
    return told


def _instead(verification: VerificationPhotos, file: Path) -> Path | None:
    """LFWcrop's crop of the photo, where it is there."""
    if verification.instead is None:
        return None
    spare = verification.instead / f"{file.stem}.pgm"
    return spare if spare.is_file() else None


def _faces(
    tasks: list[tuple[Path, Path | None]], reader: _Reader, title: str
) -> tuple[NDArray[np.uint8], list[str | None]]:
    """A face of every file (n, size, size), and what was wrong with it (n,)."""
    heading = f"Finding faces in {len(tasks):,} photos, {title}"
    read = parallel_map(reader, tasks, title=heading, size=lambda _: 1)
    images = []
    for (file, _), face in zip(tasks, read, strict=True):
        if face.image is None:
            raise InputError(f"{file}: {face.problem}; its pairs cannot be judged without it")
        images.append(face.image)
    return np.stack(images), [face.problem for face in read]


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
    known = _by_number(list_identities(verification.tree))
    on_map = [
        photo
        for person in verification.map_people
        for photo in [one for one in known if one.name == person][:MAP_PEOPLE]
    ]
    wanted = {photo for pair in named for photo in pair[:2]} | set(on_map)
    for name, number in sorted(wanted - known.keys()):
        raise InputError(
            f"{verification.pairs[0]} names photo {number} of {name}, which is not in"
            f" {verification.tree.folders[0]}"
        )
    for photo in sorted(wanted):
        if len(known[photo]) > 1:
            files = ", ".join(path.name for path in known[photo])
            raise InputError(
                f"photo {photo.number} of {photo.name} can be {files}: rename all but one, or move"
                " them out of the folder"
            )
    return {photo: known[photo][0] for photo in sorted(wanted)}, on_map


def _by_number(identities: Mapping[str, Sequence[Path]]) -> dict[PhotoOf, list[Path]]:
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


def _write(
    path: Path,
    *,
    title: str,
    settings: Mapping[str, Any],
    notes: Mapping[str, Any],
    pairs: Pairs,
    names: tuple[str, ...],
    called: tuple[str, ...],
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
        texts={"names": names, "called": called, "sources": sources},
    )
