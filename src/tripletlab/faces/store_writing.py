"""Writes faces.h5 and pairs.h5, and checks whether they are still what was written.

Files appear whole or not at all.
"""

import contextlib
import errno
import hashlib
import itertools
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import Unavailable
from tripletlab.faces.store import FORMAT, opened, texts_of
from tripletlab.photos.pairs import Pairs
from tripletlab.system.files import whole

PART = 4096  # rows that are read at once
RESERVE = 1 << 22  # bytes kept free for what HDF5 writes when it closes a file
LINE = 256  # bytes of a text in a store, about
EXAMPLES = 12  # rejected photos that are named for each reason


class Blocks(NamedTuple):
    """An array that comes part by part, along its first axis, and is never in memory as a whole."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    parts: Iterable[NDArray[Any]]


class Lines(NamedTuple):
    """Texts that come part by part."""

    total: int
    parts: Iterable[Sequence[str]]


def write(
    path: Path,
    *,
    kind: str,
    title: str,
    settings: Mapping[str, Any],
    notes: Mapping[str, Any],
    pairs: tuple[str, Pairs],
    arrays: Mapping[str, NDArray[Any] | Blocks],
    texts: Mapping[str, tuple[str, ...] | Lines],
) -> None:
    """Write a store: its arrays and texts, one named set of pairs, its attributes, its fingerprint.

    The fingerprint covers the content and the settings, not the time or the place of writing.
    """
    group, drawn = pairs
    contents = {**arrays, **{f"{group}/{name}": values for name, values in vars(drawn).items()}}
    attributes = {"title": title, "settings": json.dumps(settings, sort_keys=True)}
    with (
        _whole(path) as temporary,
        _room(temporary, _bytes(contents.values()), texts.values()) as reserve,
        h5py.File(temporary, "w", locking=False) as file,  # `whole` holds its lock
    ):
        digest = _Fingerprint(attributes)
        try:
            for name in sorted(contents):
                _write_array(file, name, contents[name], digest)
            for name, words in sorted(texts.items()):
                _write_texts(file, name, words, digest)
            file.attrs.update(attributes)
            file.attrs.update(format=FORMAT, kind=kind, fingerprint=digest.hexdigest())
            file.attrs["notes"] = json.dumps(notes)
            file.flush()
        except BaseException:
            reserve.close()  # room for what HDF5 writes when it closes
            raise


@contextlib.contextmanager
def _room(path: Path, size: int, texts: Iterable[tuple[str, ...] | Lines]) -> Iterator[IO[bytes]]:
    """OSError where the disk has no room for the store; the value is a reserve that is kept.

    HDF5 crashes the process when a file is closed that it cannot write to its end. So the room is
    asked for before, and a reserve of it is given up where it has gone to others meanwhile.
    """
    lines = sum(one.total if isinstance(one, Lines) else len(one) for one in texts)
    with tempfile.TemporaryFile(dir=path.parent) as reserve:
        reserve.write(bytes(RESERVE))
        reserve.flush()
        if shutil.disk_usage(path.parent).free < size + lines * LINE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield reserve


def _bytes(arrays: Iterable[NDArray[Any] | Blocks]) -> int:
    return sum(int(np.prod(one.shape)) * one.dtype.itemsize for one in arrays)


def count_rejected(rejected: Iterable[tuple[str, Sequence[str]]]) -> dict[str, dict[str, Any]]:
    """For every reason how many photos it took, and some of them, as the notes of a store have it.

    `rejected` are reasons, each with photos, of which one is named.
    """
    counts = dict[str, dict[str, Any]]()
    for reason, photos in rejected:
        known = counts.setdefault(reason, {"photos": 0, "such_as": []})
        known["photos"] += len(photos)
        if len(known["such_as"]) < EXAMPLES:
            known["such_as"].append(photos[0])
    return counts


def damage(path: Path) -> list[str]:
    """What in a store is not as it was written, by its fingerprint; nothing if all is well.

    InputError where it cannot even be opened. Damaged faces are named by their identity.
    """
    with opened(path, kind=None) as file:
        datasets: dict[str, h5py.Dataset] = {}
        file.visititems(
            lambda name, node: datasets.update({name: node}) if hasattr(node, "dtype") else None
        )
        digest = _Fingerprint({name: file.attrs[name] for name in ("title", "settings")})
        words = [name for name in datasets if h5py.check_string_dtype(datasets[name].dtype)]
        for name in sorted(datasets.keys() - words):
            digest.array(name, datasets[name].dtype, datasets[name].shape)
            for part in _parts(datasets[name]):
                digest.part(part)
        for name in sorted(words):
            digest.texts(name, len(datasets[name]))
            for part in _parts(datasets[name].asstr()):
                digest.words(part)
        if digest.hexdigest() == file.attrs["fingerprint"]:
            return []
        return [f"{path}: the fingerprint is another than when it was written", *_people(file)]


def _people(file: h5py.File) -> Iterator[str]:
    """The identities whose faces have changed."""
    if "checksums" not in file:
        return
    names, checksums = texts_of(file["names"]), file["checksums"][:]
    for entry, (start, end) in enumerate(itertools.pairwise(file["offsets"][:])):
        if zlib.crc32(file["images"][start:end].tobytes()) != checksums[entry]:
            yield f"{names[entry]}: faces {start} to {end - 1} have changed"


class _Fingerprint:
    """SHA-256 over arrays and texts, each by its name, in the order in which they come."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self._digest = hashlib.sha256(json.dumps([FORMAT, attributes], sort_keys=True).encode())
        self.hexdigest = self._digest.hexdigest

    def array(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self._digest.update(f"{name}{dtype}{shape}".encode())

    def part(self, values: NDArray[Any]) -> None:
        self._digest.update(np.ascontiguousarray(values).data)

    def texts(self, name: str, count: int) -> None:
        self._digest.update(f"{name}{count}".encode())

    def words(self, words: Iterable[str]) -> None:
        self._digest.update("".join(f"{json.dumps(word)}\n" for word in words).encode())


def _write_array(
    file: h5py.File, name: str, values: NDArray[Any] | Blocks, digest: _Fingerprint
) -> None:
    """Contiguous in the file: no chunks, no compression."""
    blocks = values if isinstance(values, Blocks) else Blocks(values.shape, values.dtype, [values])
    digest.array(name, blocks.dtype, blocks.shape)
    dataset, start = file.create_dataset(name, blocks.shape, blocks.dtype), 0
    for part in blocks.parts:
        if len(part):
            dataset[start : start + len(part)] = part
        digest.part(part)
        start += len(part)


def _write_texts(
    file: h5py.File, name: str, words: tuple[str, ...] | Lines, digest: _Fingerprint
) -> None:
    lines = words if isinstance(words, Lines) else Lines(len(words), [words])
    digest.texts(name, lines.total)
    dataset, start = file.create_dataset(name, (lines.total,), h5py.string_dtype()), 0
    for part in lines.parts:
        if part:
            dataset[start : start + len(part)] = list(part)
        digest.words(part)
        start += len(part)


def _parts(dataset: Any) -> Iterator[Any]:
    for start in range(0, len(dataset), PART):
        yield dataset[start : start + PART]


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """The file to write, which takes the path's place; Unavailable where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as temporary:
            yield temporary
    except OSError as error:
        reason = error.strerror or error
        raise Unavailable(f"{path}: cannot be written ({reason}); give data=FOLDER") from error
