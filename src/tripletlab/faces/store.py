"""faces.h5 and pairs.h5, and the one door to them.

Faces of an identity are adjacent and the images contiguous in the file, so that they are memory-
mapped and a batch is a few slices. An entry is one identity in one tree; one whose name is in two
trees has two entries, always in the same split. Files appear whole or not at all.
"""

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.photos.pairs import Pairs

FORMAT = 1
TRAIN, VALIDATION, HELDOUT = 0, 1, 2  # values of FaceStore.split
AGAIN = "run `tripletlab prepare --fresh`"

Images = NDArray[np.uint8]  # (n, size, size)


@dataclass(frozen=True)
class FaceStore:
    """Faces to train with, and the pairs of unseen identities that choose the best model."""

    title: str
    images: Images
    offsets: NDArray[np.int64]  # (entries + 1,): entry e has the faces [offsets[e], offsets[e+1])
    names: tuple[str, ...]  # (entries,)
    trees: NDArray[np.int64]  # (entries,), places in tree_names
    tree_names: tuple[str, ...]
    sources: tuple[str, ...]  # (n,) tree/identity/file
    split: NDArray[np.int64]  # (entries,) TRAIN, VALIDATION or HELDOUT
    validation: Pairs  # rows of images
    settings: dict[str, Any]
    fingerprint: str
    notes: dict[str, Any]  # of the preparation: what was rejected and why

    @property
    def size(self) -> int:
        """Pixels along a face's side."""
        return int(self.images.shape[1])

    @property
    def path(self) -> Path:
        """The file that the images are mapped from; TypeError when they are not."""
        return _file_of(self.images)

    @functools.cached_property
    def entries(self) -> NDArray[np.int64]:
        """(n,) the entry of each face."""
        return np.repeat(np.arange(len(self.names)), np.diff(self.offsets))

    @functools.cached_property
    def labels(self) -> NDArray[np.int64]:
        """(n,) the identity of each face: the same number for the same name."""
        return np.unique(self.names, return_inverse=True)[1][self.entries]

    @classmethod
    def open(cls, path: Path) -> "FaceStore":
        """Read everything but the images, which are mapped; InputError says what is wrong."""
        with _opened(path, kind="faces") as file:
            return cls(
                images=_mapped(file["images"], path),
                offsets=file["offsets"][:],
                names=_texts(file["names"]),
                trees=file["trees"][:],
                tree_names=_texts(file["tree_names"]),
                sources=_texts(file["sources"]),
                split=file["split"][:],
                validation=_read_pairs(file["validation"]),
                **_attributes(file),
            )


@dataclass(frozen=True)
class PairStore:
    """The faces of the verification pairs, and of the people to map."""

    title: str
    images: Images
    names: tuple[str, ...]  # (n,) whose face
    sources: tuple[str, ...]  # (n,)
    fallback: NDArray[np.bool_]  # (n,) no face was found: the middle of the photo
    pairs: Pairs  # rows of images
    map_rows: NDArray[np.int64]  # rows of images, for the UMAP figure
    settings: dict[str, Any]
    fingerprint: str
    notes: dict[str, Any]

    @property
    def path(self) -> Path:
        """The file that the images are mapped from; TypeError when they are not."""
        return _file_of(self.images)

    @classmethod
    def open(cls, path: Path) -> "PairStore":
        """Read everything; InputError says what is wrong."""
        with _opened(path, kind="pairs") as file:
            return cls(
                images=_mapped(file["images"], path),
                names=_texts(file["names"]),
                sources=_texts(file["sources"]),
                fallback=file["fallback"][:],
                pairs=_read_pairs(file["pairs"]),
                map_rows=file["map_rows"][:],
                **_attributes(file),
            )


def write(
    path: Path,
    *,
    kind: str,
    title: str,
    settings: Mapping[str, Any],
    notes: Mapping[str, Any],
    pairs: tuple[str, Pairs],
    arrays: Mapping[str, NDArray[Any]],
    texts: Mapping[str, tuple[str, ...]],
) -> None:
    """Write a store: its arrays and texts, one named set of pairs, its attributes, its fingerprint.

    The fingerprint covers the content and the settings, not the time or the place of writing.
    """
    group, drawn = pairs
    parts = {f"{group}/{name}": values for name, values in vars(drawn).items()}
    contents = {**arrays, **parts}
    attributes = {"title": title, "settings": json.dumps(settings, sort_keys=True)}
    fingerprint = _fingerprint(contents, {**texts, **{k: (v,) for k, v in attributes.items()}})
    with _whole(path) as temporary, h5py.File(temporary, "w") as file:
        for name, values in contents.items():
            file.create_dataset(name, data=values)  # contiguous: no chunks, no compression
        for name, words in texts.items():
            file.create_dataset(name, data=list(words), dtype=h5py.string_dtype())
        file.attrs.update(attributes)
        file.attrs.update(format=FORMAT, kind=kind, fingerprint=fingerprint)
        file.attrs["notes"] = json.dumps(notes)


def _fingerprint(contents: Mapping[str, NDArray[Any]], texts: Mapping[str, tuple[str, ...]]) -> str:
    digest = hashlib.sha256(str(FORMAT).encode())
    for name in sorted(contents):
        values = np.ascontiguousarray(contents[name])
        digest.update(f"{name}{values.dtype}{values.shape}".encode())
        digest.update(values.data)
    for name in sorted(texts):
        digest.update(json.dumps([name, texts[name]]).encode())
    return digest.hexdigest()


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A temporary neighbour that takes the path's place when the block ends well."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be written ({reason}); give data=FOLDER") from error


@contextlib.contextmanager
def _opened(path: Path, *, kind: str) -> Iterator[h5py.File]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; {AGAIN}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path}: truncated, or not an HDF5 file; {AGAIN}") from error
    with file:
        found = file.attrs.get("kind"), file.attrs.get("format")
        if found != (kind, FORMAT):
            raise InputError(
                f"{path}: holds {found[0] or 'something else'} in version {found[1]} and not"
                f" {kind} in version {FORMAT}; {AGAIN}"
            )
        try:
            yield file
        except (KeyError, OSError) as error:
            raise InputError(f"{path}: a part of it is missing; {AGAIN}") from error


def _mapped(dataset: h5py.Dataset, path: Path) -> Images:
    offset = dataset.id.get_offset()
    return np.memmap(path, np.uint8, mode="r", offset=offset, shape=dataset.shape)


def _file_of(images: Images) -> Path:
    if not isinstance(images, np.memmap) or images.filename is None:
        raise TypeError("these faces are in memory, not in a file")
    return Path(images.filename).resolve()


def _texts(dataset: h5py.Dataset) -> tuple[str, ...]:
    return tuple(dataset.asstr()[:])


def _read_pairs(group: h5py.Group) -> Pairs:
    return Pairs(**{name: group[name][:] for name in ("first", "second", "matched", "fold")})


def _attributes(file: h5py.File) -> dict[str, Any]:
    return {
        "title": file.attrs["title"],
        "fingerprint": file.attrs["fingerprint"],
        "settings": json.loads(file.attrs["settings"]),
        "notes": json.loads(file.attrs["notes"]),
    }
