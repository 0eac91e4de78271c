"""Trees of photos to faces.h5: over all cores, and never stopped by a bad photo.

Identities are read one by one and kept in a journal as they are finished; only then is the store
written from it. So memory holds what the workers are at, and a list of the identities, however many
photos there are, and a process that was killed goes on where it stopped.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.cleaning import REPEATED, Hash
from tripletlab.faces.face_store_writing import Person, check_enough, complete
from tripletlab.faces.journal import Entry, Journal, unfinished
from tripletlab.faces.landmarks import COEFFICIENTS
from tripletlab.faces.recipe import PASSED_OVER, TOO_FEW, Face, FaceRecipe
from tripletlab.faces.store import FORMAT
from tripletlab.photos.hygiene import PHOTO_LISTED, Hygiene
from tripletlab.photos.names import spelled_differently
from tripletlab.photos.sources import Heldout, TrainingPhotos, slug
from tripletlab.photos.tree import (
    identity_folders,
    names_of,
    no_photos,
    one_deeper,
    photos_in,
    source,
)
from tripletlab.system.progress import say, stream

COMPUTING = (  # the modules of this room that pixels go through
    *("alignment.py", "cleaning.py", "cropping.py", "detection.py"),
    *("landmarks.py", "overlay_text.py", "recipe.py"),
)


@dataclass(frozen=True)
class Preparation:
    """A store that is there now, and whether it was there before."""

    path: Path
    reused: bool


def prepare_faces(
    photos: TrainingPhotos,
    recipe: FaceRecipe,
    *,
    hygiene: Hygiene,
    judged: Mapping[str, str],
    heldout: Heldout | None,
    settings: Mapping[str, Any],
    folder: Path,
    fresh: bool,
) -> Preparation:
    """Write faces.h5 into a folder whose name tells title and inputs; skip it when it is there.

    `settings` is the recipe as the config has it, `judged` who is in the verification set: folders
    and names.
    InputError when too few people are usable, or when some are judged who may not be learned from.
    """
    people, digest = _list(photos)
    names = {person.name: person.called for person in sorted(people, key=lambda one: one.called)}
    reasons, shared = hygiene.left_out(names, [*judged, *judged.values()])
    unnamed = [
        sum(not name and folder not in reasons for folder, name in names.items()),
        sum(not name for name in judged.values()),
    ]
    if judged and any(unnamed):
        say(_not_checkable(*unnamed))
    people = [person._replace(left_out=reasons.get(person.name)) for person in people]
    listed = hygiene.photos()
    inputs = [digest, sorted(reasons.items()), sorted(listed), made_by(settings)]
    key = [FORMAT, settings, heldout.fraction if heldout else 0.0, photos.title, inputs]
    path = store_path(folder, title=photos.title, key=key) / "faces.h5"
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    kept = {
        "rule": hygiene.shared,
        "shared": sorted(shared),
        "left_out": reasons,
        "without_names": unnamed if judged else [0, 0],
    }
    check_enough(people, recipe, heldout)
    with unfinished(path, size=recipe.size, fresh=fresh) as journal:
        if journal is None:
            return Preparation(path, reused=True)
        _read(people, _Reader(recipe, listed), journal)
        complete(path, photos, people, journal, recipe, settings, heldout, kept)
    return Preparation(path, reused=False)


def _not_checkable(training: int, verification: int) -> str:
    """The warning where people are known by numbers alone."""
    return (
        f"warning: {training:,} people to train on and {verification:,} of the verification set are"
        " known by numbers alone: whether somebody is in both is not checkable"
        " (VGGFace2's names are in its identity_meta.csv: put it beside train/ and test/)"
    )


def store_path(folder: Path, *, title: str, key: object) -> Path:
    """The folder of a store: a readable name, and 8 digits that change with the inputs."""
    digits = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:8]
    return folder / f"{slug(title)}-{digits}"


def made_by(settings: Mapping[str, Any]) -> list[str]:
    """What makes faces of photos: OpenCV's version, the code of this room, and its model files.

    It is part of a store's key: another version may decode, detect or resize otherwise.
    """
    room = Path(__file__).parent
    code = hashlib.sha256(b"".join((room / name).read_bytes() for name in COMPUTING))
    return [cv2.__version__, code.hexdigest(), *models(settings)]


def models(settings: Mapping[str, Any]) -> list[str]:
    """Digests of the files that a recipe computes by: the landmarks' own, and every `model`."""
    files = [COEFFICIENTS, *_models(settings)]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def _models(settings: Mapping[str, Any]) -> Iterator[Path]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _models(value)
        elif name == "model":
            yield Path(value).expanduser()


def listing(files: Sequence[Path]) -> str:
    """A digest that changes when a photo is added, removed or replaced."""
    digest = hashlib.sha256()
    for file in files:
        status = file.stat() if file.exists() else file.lstat()  # of what a link leads to
        digest.update(f"{source(file)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _list(photos: TrainingPhotos) -> tuple[list[Person], str]:
    """The identities, and a digest over all their photos, of which only the number is kept."""
    people: list[Person] = []
    digest = hashlib.sha256()
    for place, tree in enumerate(photos.trees):
        before, deeper = len(people), list[Path]()
        found = identity_folders(tree)
        called = names_of(tree, found)
        for name, folders in found.items():
            files = photos_in(folders)
            if files:
                deeper += [files[0]] if all(file.is_dir() for file in files) else []
                known = len(people), name, called[name], place
                people.append(Person(*known, tree.cropped, folders, len(files), None))
                digest.update(f"{place} {name!r} {tree.cropped} {listing(files)}".encode())
                digest.update(called[name].encode("utf-8", "surrogateescape"))
        if len(people) == before:
            raise no_photos(tree)
        if len(people) - before == len(deeper):
            raise one_deeper(tree, deeper[0])
    for spellings in spelled_differently(person.name for person in people):
        say(f"warning: taken for different people: {', '.join(spellings)}")
    return people, digest.hexdigest()


def _read(people: Sequence[Person], reader: "_Reader", journal: Journal) -> None:
    """Bring the journal to the end."""
    missing = [person for person in people if person.number not in journal]
    if len(missing) < len(people):
        say(f"going on: {len(people) - len(missing):,} of {len(people):,} identities are done")
    count = sum(person.photos for person in missing)
    title = f"Finding faces in {count:,} photos"
    for number, entry in stream(reader, missing, title=title, size=lambda one: one.photos):
        journal.add(number, entry)


@dataclass(frozen=True)
class _Reader:
    """What a worker does: the photos of a person, until there are enough."""

    recipe: FaceRecipe
    listed: frozenset[str]

    def __call__(self, person: Person) -> tuple[int, Entry]:
        cv2.setNumThreads(1)  # the cores are busy with other people already
        files = photos_in(person.folders)
        images: list[NDArray[np.uint8]] = []
        sources, rejected = list[str](), list[tuple[str, str]]()
        for file, face in zip(files, self._faces(files, person), strict=True):
            if face.image is None:
                rejected.append((source(file), face.problem or ""))
            else:
                images.append(face.image)
                sources.append(source(file))
        if len(images) < self.recipe.min_photos:
            rejected += [(one, TOO_FEW) for one in sources]
            images, sources = [], []
        size = self.recipe.size
        faces = np.array(images, np.uint8).reshape(-1, size, size)
        return person.number, Entry(faces, sources, rejected)

    def _faces(self, files: Sequence[Path], person: Person) -> Iterator[Face]:
        """A face of every file, or why there is none."""
        kept, hashes = 0, list[Hash]()
        for file in files:
            if kept == self.recipe.max_photos:
                yield Face(None, PASSED_OVER)
                continue
            face = self._face(file, person)
            if face.seen is not None and self.recipe.cleaning.repeats(face.seen, hashes):
                face = Face(None, REPEATED)
            elif face.seen is not None:
                hashes.append(face.seen)
            kept += face.image is not None
            yield face

    def _face(self, file: Path, person: Person) -> Face:
        if person.left_out:
            return Face(None, person.left_out)
        if source(file) in self.listed:
            return Face(None, PHOTO_LISTED)
        return self.recipe.face(file, cropped=person.cropped)
