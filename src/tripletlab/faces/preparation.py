"""Trees of photos to faces.h5: over all cores, and never stopped by a bad photo.

Identities are read one by one and kept in a journal as they are finished; only then is the store
written from it. So memory holds what the workers are at, and a list of the identities, however many
photos there are, and a process that was killed goes on where it stopped.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.cleaning import REPEATED, Hash
from tripletlab.faces.journal import Entry, Journal, unfinished
from tripletlab.faces.landmarks import COEFFICIENTS
from tripletlab.faces.recipe import PASSED_OVER, TOO_FEW, Face, FaceRecipe
from tripletlab.faces.store import FORMAT, HELDOUT, TRAIN, VALIDATION
from tripletlab.faces.storing import Blocks, Lines, write
from tripletlab.photos.hygiene import PHOTO_LISTED, Hygiene
from tripletlab.photos.pairs import Pairs, draw_pairs
from tripletlab.photos.sources import TrainingPhotos, slug
from tripletlab.photos.tree import identity_folders, no_photos, photos_in, source
from tripletlab.progress import say, stream

EXAMPLES = 12  # rejected photos that are named for each reason


@dataclass(frozen=True)
class Preparation:
    """A store that is there now, and whether it was there before."""

    path: Path
    reused: bool


class Person(NamedTuple):
    """An identity in one tree: its place in the store, its folders and how many photos they hold.

    `left_out` is why nothing of it is read, if so.
    """

    number: int
    name: str
    tree: int
    cropped: bool
    folders: list[Path]
    photos: int
    left_out: str | None


def prepare_faces(
    photos: TrainingPhotos,
    recipe: FaceRecipe,
    *,
    hygiene: Hygiene,
    judged: Sequence[str],
    heldout_fraction: float,
    settings: Mapping[str, Any],
    folder: Path,
    fresh: bool,
) -> Preparation:
    """Write faces.h5 into a folder whose name tells title and inputs; skip it when it is there.

    `settings` is the recipe as the config has it, `judged` who is in the verification set.
    InputError when too few people are usable, or when some are judged who may not be learned from.
    """
    people, digest = _list(photos)
    names = {
        person.name: photos.trees[person.tree].called.get(person.name, person.name)
        for person in people
    }
    reasons, shared = hygiene.left_out(names, judged)
    people = [person._replace(left_out=reasons.get(person.name)) for person in people]
    listed = hygiene.photos()
    inputs = [digest, sorted(reasons.items()), sorted(listed), models(settings)]
    key = [FORMAT, settings, heldout_fraction, photos.title, inputs]
    path = store_path(folder, title=photos.title, key=key) / "faces.h5"
    if path.is_file() and not fresh:
        return Preparation(path, reused=True)
    kept = {"rule": hygiene.shared, "shared": sorted(shared), "left_out": reasons}
    with unfinished(path, size=recipe.size, fresh=fresh) as journal:
        if journal is None:
            return Preparation(path, reused=True)
        _read(people, _Reader(recipe, listed), journal)
        _write(path, photos, people, journal, recipe, settings, heldout_fraction, kept)
    return Preparation(path, reused=False)


def store_path(folder: Path, *, title: str, key: object) -> Path:
    """The folder of a store: a readable name, and 8 digits that change with the inputs."""
    digits = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:8]
    return folder / f"{slug(title)}-{digits}"


def split_names(
    names: Sequence[str], recipe: FaceRecipe, *, heldout_fraction: float
) -> dict[str, int]:
    """Each name's split, seeded; at least two validation identities, and one held out if any."""
    order = np.random.default_rng(recipe.seed).permutation(sorted(set(names)))
    held = round(len(order) * heldout_fraction) if heldout_fraction else 0
    watched = max(2, round(len(order) * recipe.validation_fraction))
    if len(order) - held - watched < 2:
        raise InputError(
            f"{len(order)} people with {recipe.min_photos} usable faces are too few to split into"
            " training and validation: give more people, or lower faces.min_photos"
        )
    marks = [HELDOUT] * held + [VALIDATION] * watched + [TRAIN] * (len(order) - held - watched)
    return dict(zip(map(str, order), marks, strict=True))


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
        status = file.lstat()
        digest.update(f"{source(file)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _list(photos: TrainingPhotos) -> tuple[list[Person], str]:
    """The identities, and a digest over all their photos, of which only the number is kept."""
    people: list[Person] = []
    digest = hashlib.sha256()
    for place, tree in enumerate(photos.trees):
        before = len(people)
        for name, folders in identity_folders(tree).items():
            files = photos_in(folders)
            if files:
                number = len(people)
                people.append(Person(number, name, place, tree.cropped, folders, len(files), None))
                digest.update(f"{place} {name!r} {tree.cropped} {listing(files)}".encode())
        if len(people) == before:
            raise no_photos(tree)
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


def _rejected(journal: Journal) -> dict[str, dict[str, Any]]:
    """For every reason how many photos it took, and some of them, each of another identity."""
    counts = dict[str, dict[str, Any]]()
    for _, rejected in journal.entries():
        for why, photos in itertools.groupby(sorted(rejected, key=_why), key=_why):
            sources = [one for one, _ in photos]
            known = counts.setdefault(why, {"photos": 0, "such_as": []})
            known["photos"] += len(sources)
            known["such_as"] += sources[: len(known["such_as"]) < EXAMPLES]
    return dict(sorted(counts.items(), key=lambda item: -item[1]["photos"]))


def _why(rejected: tuple[str, str]) -> str:
    return rejected[1]


def _write(
    path: Path,
    photos: TrainingPhotos,
    people: Sequence[Person],
    journal: Journal,
    recipe: FaceRecipe,
    settings: Mapping[str, Any],
    heldout_fraction: float,
    kept: Mapping[str, Any],
) -> None:
    """The store from the journal, part by part."""
    numbers, rejected = journal.numbers(), _rejected(journal)
    if not numbers:
        told = "; ".join(f"{why}: {found['photos']:,}" for why, found in rejected.items())
        raise InputError(
            f"{photos.title}: nobody has {recipe.min_photos} usable faces ({told});"
            " lower faces.min_photos, or give more photos"
        )
    names = [people[number].name for number in numbers]
    split = split_names(names, recipe, heldout_fraction=heldout_fraction)
    counts = [journal.count(number) for number in numbers]
    total, without = sum(counts), sum(found["photos"] for found in rejected.values())
    arrays = {
        "offsets": np.cumsum([0, *counts]),
        "trees": np.array([people[number].tree for number in numbers], np.int64),
        "split": np.array([split[name] for name in names], np.int64),
        "checksums": np.array([journal.checksum(number) for number in numbers], np.uint32),
    }
    faces = Blocks((total, recipe.size, recipe.size), np.dtype(np.uint8), journal.images())
    write(
        path,
        kind="faces",
        title=photos.title,
        settings=settings,
        notes={
            "photos": sum(person.photos for person in people),
            "kept": total,
            "rejected": rejected,
            "hygiene": kept,
        },
        pairs=("validation", _validation_pairs(arrays, recipe)),
        arrays={**arrays, "images": faces},
        texts={
            "names": tuple(names),
            "tree_names": tuple(tree.name for tree in photos.trees),
            "sources": Lines(total, (sources for sources, _ in journal.entries())),
            "rejected": Lines(without, ([s for s, _ in lost] for _, lost in journal.entries())),
            "reasons": Lines(without, ([why for _, why in lost] for _, lost in journal.entries())),
        },
    )


def _validation_pairs(arrays: Mapping[str, NDArray[Any]], recipe: FaceRecipe) -> Pairs:
    chosen = np.flatnonzero(arrays["split"] == VALIDATION)
    groups = [np.arange(*arrays["offsets"][entry : entry + 2]) for entry in chosen]
    return draw_pairs(
        groups,
        arrays["trees"][chosen],
        folds=1,
        per_fold=recipe.validation_pairs,
        seed=recipe.seed,
    )
