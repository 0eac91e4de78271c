"""faces.h5 in the making: what is finished survives the process, however that ends.

A folder beside the store holds the images, one identity after another as they are finished, and a
line of JSON for each. A line is written when its images are; whatever stands behind the last whole
line is cut off when the work goes on.
"""

import contextlib
import json
import os
import shutil
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError, Unavailable
from tripletlab.system.locks import held
from tripletlab.system.progress import say

Rejected = list[tuple[str, str]]  # photo and reason
BLOCK = 2048  # faces that are in memory at once when they are copied


class Entry(NamedTuple):
    """The usable faces of an identity in one tree, and the photo of each; the other photos."""

    images: NDArray[np.uint8]  # (n, size, size)
    sources: list[str]
    rejected: Rejected


class _Place(NamedTuple):
    line: int  # in the journal, bytes
    first: int  # image
    faces: int
    checksum: int


class Journal:
    """The entries that are finished, by number; all but their places stays on the disk."""

    def __init__(self, folder: Path, *, size: int) -> None:
        self.folder, self.shape = folder, (size, size)
        folder.mkdir(parents=True, exist_ok=True)
        self._places: dict[int, _Place] = {}
        self._images = (folder / "images").open("a+b")
        self._lines = (folder / "journal").open("a+b")
        self._resume()

    def _resume(self) -> None:
        self._lines.seek(0)
        end = images = 0
        room = self._images.seek(0, os.SEEK_END)
        for line in self._lines:
            try:
                number, sources, _, checksum = json.loads(line)
            except ValueError:
                break
            if (images + len(sources)) * self._bytes > room or not line.endswith(b"\n"):
                break
            self._places[number] = _Place(end, images, len(sources), checksum)
            end, images = end + len(line), images + len(sources)
        self._lines.truncate(end)
        self._images.truncate(images * self._bytes)
        self._next = images, end

    @property
    def _bytes(self) -> int:
        return self.shape[0] * self.shape[1]

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def add(self, number: int, entry: Entry) -> None:
        """Keep a finished entry; its images first, so that no line promises what is not there."""
        first, place = self._next
        data = np.ascontiguousarray(entry.images).tobytes()
        checksum = zlib.crc32(data)
        line = json.dumps([number, entry.sources, entry.rejected, checksum]).encode() + b"\n"
        self._images.write(data)
        self._images.flush()
        self._lines.write(line)
        self._lines.flush()
        self._places[number] = _Place(place, first, len(entry.sources), checksum)
        self._next = first + len(entry.sources), place + len(line)

    def numbers(self) -> list[int]:
        """The entries that have faces, in the order of their numbers."""
        return sorted(number for number, place in self._places.items() if place.faces)

    def count(self, number: int) -> int:
        """The faces of an entry."""
        return self._places[number].faces

    def checksum(self, number: int) -> int:
        """The CRC-32 of an entry's images."""
        return self._places[number].checksum

    def images(self) -> Iterator[NDArray[np.uint8]]:
        """All faces, entry by entry in the order of their numbers, in blocks (n, size, size).

        InputError where what is read is not what was written.
        """
        for number in self.numbers():
            _, first, count, checksum = self._places[number]
            seen = 0
            self._images.seek(first * self._bytes)
            for start in range(0, count, BLOCK):
                data = self._images.read(min(BLOCK, count - start) * self._bytes)
                seen = zlib.crc32(data, seen)
                yield np.frombuffer(data, np.uint8).reshape(-1, *self.shape)
            if seen != checksum:
                raise InputError(f"{self.folder}: damaged; delete it and prepare again")

    def entries(self) -> Iterator[tuple[list[str], Rejected]]:
        """Sources and rejected photos of every entry, in the order of their numbers."""
        for _, place in sorted(self._places.items()):
            self._lines.seek(place.line)
            line: list[Any] = json.loads(self._lines.readline())
            yield line[1], [(source, why) for source, why in line[2]]

    def close(self) -> None:
        """Let go of the files."""
        self._images.close()
        self._lines.close()


@contextlib.contextmanager
def unfinished(path: Path, *, size: int, fresh: bool) -> Iterator[Journal | None]:
    """The journal of the store at `path`, for this process alone; None if that is there by then.

    It is removed when the block ends well or the input is bad, and left for the next try else.
    """
    folder = path.with_name(f".{path.stem}.unfinished")
    try:
        with _alone(folder.with_suffix(".lock")):
            if path.is_file() and not fresh:
                yield None
                return
            if fresh:
                shutil.rmtree(folder, ignore_errors=True)
            with contextlib.closing(Journal(folder, size=size)) as journal:
                yield journal
            shutil.rmtree(folder)
    except Unavailable:
        raise
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # it holds something else
            path.parent.rmdir()
        raise
    except OSError as error:
        reason = error.strerror or error
        read = str(error.filename or path)
        if not Path(read).is_relative_to(path.parent):  # a photo, or a file of the preparation
            raise InputError(f"{read}: cannot be read ({reason})") from error
        raise InputError(f"{path}: cannot be written ({reason}); give data=FOLDER") from error


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until nobody else makes the same store."""
    waiting = False
    while True:
        with held(lock) as free:
            if free and lock.exists():  # its last holder removes it
                try:
                    yield
                finally:
                    lock.unlink(missing_ok=True)
                return
        if not free and not waiting:
            say(f"waiting for another process, which is at work on {lock.parent}")
            waiting = True
        time.sleep(0.2)
