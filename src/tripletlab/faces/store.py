"""faces.h5 and pairs.h5 as they are read; store_writing.py writes them.

Faces of an identity are adjacent and the images contiguous in the file, so that they are memory-
mapped and a batch is a few slices. An entry is one identity in one tree; one whose name is in two
trees has two entries, always in the same split.
"""

import contextlib
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError, brief
from tripletlab.faces import hdf5
from tripletlab.faces.store_checks import are_pairs, require, within
from tripletlab.photos.pairs import Pairs

FORMAT = 3
TRAIN, VALIDATION, HELDOUT, CALIBRATION = range(4)  # values of FaceStore.split
PEOPLE_UNKNOWN = "people_unknown"  # in the notes of pairs whose people are not all known apart
AGAIN = "run `tripletlab prepare --fresh`"

Images = NDArray[np.uint8]  # (n, size, size)


@dataclass(frozen=True)
class FaceStore:
    """Faces to train with, and the pairs of validation identities that choose the best model."""

    title: str
    images: Images
    offsets: NDArray[np.int64]  # (entries + 1,): entry e has the faces [offsets[e], offsets[e+1])
    names: tuple[str, ...]  # (entries,) the folder's, by which people differ
    display_names: tuple[str, ...]  # (entries,) empty where the folder is only a number
    trees: NDArray[np.int64]  # (entries,), places in tree_names
    tree_names: tuple[str, ...]
    sources: tuple[str, ...]  # (n,) tree/identity/file
    split: NDArray[np.int64]  # (entries,) TRAIN, VALIDATION, HELDOUT or CALIBRATION
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
        with opened(path, kind="faces") as file:
            store = cls(
                images=_mapped(file["images"], path),
                offsets=file["offsets"][:],
                names=texts_of(file["names"]),
                display_names=texts_of(file["called"]),
                trees=file["trees"][:],
                tree_names=texts_of(file["tree_names"]),
                sources=texts_of(file["sources"]),
                split=file["split"][:],
                validation=_read_pairs(file["validation"]),
                **_attributes(file),
            )
            faces, entries = len(store.images), len(store.names)
            require(
                store.offsets.shape == (entries + 1,)
                and store.offsets[0] == 0
                and store.offsets[-1] == faces
                and bool((np.diff(store.offsets) >= 0).all()),
                len(store.display_names) == entries and len(store.sources) == faces,
                within(store.trees, entries, below=len(store.tree_names)),
                within(store.split, entries, below=CALIBRATION + 1),
                are_pairs(store.validation, faces),
            )
            return store


def rejected_photos(path: Path) -> list[tuple[str, str]]:
    """Every photo that did not get into faces.h5, and why."""
    with opened(path, kind="faces") as file:
        return list(zip(texts_of(file["rejected"]), texts_of(file["reasons"]), strict=True))


@dataclass(frozen=True)
class PairStore:
    """The faces of the verification pairs, and of the people to map."""

    title: str
    images: Images
    names: tuple[str, ...]  # (n,) whose face: the folder's name
    display_names: tuple[str, ...]  # (n,) empty where the folder is only a number
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

    @functools.cached_property
    def labels(self) -> NDArray[np.int64]:
        """(n,) the identity of each face: the same number for the same name."""
        return np.unique(self.names, return_inverse=True)[1]

    @classmethod
    def open(cls, path: Path) -> "PairStore":
        """Read everything; InputError says what is wrong."""
        with opened(path, kind="pairs") as file:
            store = cls(
                images=_mapped(file["images"], path),
                names=texts_of(file["names"]),
                display_names=texts_of(file["called"]),
                sources=texts_of(file["sources"]),
                fallback=file["fallback"][:],
                pairs=_read_pairs(file["pairs"]),
                map_rows=file["map_rows"][:],
                **_attributes(file),
            )
            faces = len(store.images)
            require(
                len(store.names) == len(store.display_names) == len(store.sources) == faces,
                store.fallback.shape == (faces,) and store.fallback.dtype == bool,
                within(store.map_rows, len(store.map_rows), below=faces),
                are_pairs(store.pairs, faces),
            )
            return store


@contextlib.contextmanager
def opened(path: Path, *, kind: str | None) -> Iterator[h5py.File]:
    """A store's file while the block runs; of either kind where `kind` is None.

    InputError where it is missing, damaged, or of another kind or version.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; {AGAIN}")
    try:
        if not hdf5.survives(path):
            raise OSError("the HDF5 library crashes or hangs")
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path}: truncated, or not an HDF5 file; {AGAIN}") from error
    with file:
        try:
            _check_kind(file, kind)
            hdf5.check_layout(file)
            yield file
        except (KeyError, OSError) as error:
            raise InputError(f"{path}: a part of it is missing; {AGAIN}") from error
        except InputError:
            raise
        except Exception as error:  # h5py raises nearly anything, a SystemError too
            raise InputError(f"{path}: not as it is written ({brief(error)}); {AGAIN}") from error


def _check_kind(file: h5py.File, kind: str | None) -> None:
    """InputError where the file is of another kind or version."""
    found = file.attrs.get("kind"), file.attrs.get("format")
    if found[0] is None or tuple(map(str, found)) != (str(kind or found[0]), str(FORMAT)):
        raise InputError(
            f"{file.filename}: holds {brief(found[0] or 'something else')} in version"
            f" {brief(found[1])} and not {kind or 'faces or pairs'} in version {FORMAT}; {AGAIN}"
        )


def _mapped(dataset: h5py.Dataset, path: Path) -> Images:
    require(dataset.dtype == np.uint8, dataset.ndim == 3, *(side > 0 for side in dataset.shape[1:]))
    offset = dataset.id.get_offset()
    return np.memmap(path, np.uint8, mode="r", offset=offset, shape=dataset.shape)


Store = TypeVar("Store", FaceStore, PairStore)


def find(kind: type[Store], data: Path, fingerprint: str, *, what: str) -> Store:
    """The store of `kind` in the folder of prepared data that has this fingerprint.

    Stores that cannot be read, such as those of another version, are passed over. InputError,
    which calls the content `what`, where none is left.
    """
    name = {FaceStore: "faces.h5", PairStore: "pairs.h5"}[kind]
    for path in sorted(data.rglob(name)):
        with contextlib.suppress(InputError):
            store = kind.open(path)
            if store.fingerprint == fingerprint:
                return store
    raise InputError(
        f"{data}: {what} are not there (fingerprint {fingerprint[:8]}); give data=FOLDER, or run"
        " `tripletlab prepare` as before the training"
    )


def _file_of(images: Images) -> Path:
    if not isinstance(images, np.memmap) or images.filename is None:
        raise TypeError("these faces are in memory, not in a file")
    return Path(images.filename).resolve()


def texts_of(dataset: h5py.Dataset) -> tuple[str, ...]:
    """All texts of a dataset."""
    return tuple(dataset.asstr()[:])


def _read_pairs(group: h5py.Group) -> Pairs:
    return Pairs(**{name: group[name][:] for name in ("first", "second", "matched", "fold")})


def _attributes(file: h5py.File) -> dict[str, Any]:
    settings, notes = (json.loads(file.attrs[name]) for name in ("settings", "notes"))
    title, fingerprint = (str(file.attrs[name]) for name in ("title", "fingerprint"))
    require(isinstance(settings, dict), isinstance(notes, dict))
    return {"title": title, "fingerprint": fingerprint, "settings": settings, "notes": notes}
