"""faces.h5 in the making: what is finished survives the process, however that ends.

A folder beside the store holds an SQLite file with the finished entries, one transaction each.
"""

import contextlib
import json
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError, Unavailable
from tripletlab.system.locks import turn

FORMAT = 1
Rejected = list[tuple[str, str]]  # photo and reason
COMMANDS = (
    "PRAGMA locking_mode = EXCLUSIVE",  # no shared memory, which folders of a network lack
    "PRAGMA journal_mode = WAL",  # with it, a transaction is safe without waiting for the disk
    "PRAGMA synchronous = NORMAL",
    "CREATE TABLE IF NOT EXISTS entry"
    " (number INTEGER PRIMARY KEY, sources TEXT, rejected TEXT, checksum INTEGER, images BLOB)",
)


class Entry(NamedTuple):
    """The usable faces of an identity in one tree, and the photo of each; the other photos."""

    images: NDArray[np.uint8]  # (n, size, size)
    sources: list[str]
    rejected: Rejected


class Kept(NamedTuple):
    """An entry that has faces: its number, how many they are, and the CRC-32 of their images."""

    number: int
    faces: int
    checksum: int


class Journal:
    """The entries that are finished, by number, in a file; of their images one entry is in memory.

    sqlite3.Error where the file cannot be used, or is damaged.
    """

    def __init__(self, folder: Path, *, size: int) -> None:
        self.shape = (size, size)
        folder.mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(folder / "journal.sqlite", isolation_level=None)
        self.close = self._base.close
        try:
            for command in COMMANDS:
                self._base.execute(command)
            (found,) = self._base.execute("PRAGMA user_version").fetchone()
            if found not in (0, FORMAT):  # 0 is a new one
                raise sqlite3.DatabaseError(f"its format is {found} and not {FORMAT}")
            self._base.execute(f"PRAGMA user_version = {FORMAT}")
        except BaseException:
            self.close()
            raise

    def __contains__(self, number: int) -> bool:
        found = self._base.execute("SELECT 1 FROM entry WHERE number = ?", (number,))
        return found.fetchone() is not None

    def add(self, number: int, entry: Entry) -> None:
        """Keep a finished entry."""
        images = np.ascontiguousarray(entry.images).tobytes()
        texts = json.dumps(entry.sources), json.dumps(entry.rejected)
        row = (number, *texts, zlib.crc32(images), images)
        self._base.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", row)

    def kept(self) -> list[Kept]:
        """The entries that have faces, in the order of their numbers."""
        pixels = self.shape[0] * self.shape[1]
        rows = "SELECT number, length(images) / ?, checksum FROM entry WHERE length(images)"
        return [Kept(*row) for row in self._base.execute(f"{rows} ORDER BY number", (pixels,))]

    def images(self) -> Iterator[NDArray[np.uint8]]:
        """All faces, entry by entry in the order of their numbers, each (n, size, size).

        sqlite3.DatabaseError where what is read is not what was written.
        """
        rows = "SELECT images, checksum FROM entry WHERE length(images) ORDER BY number"
        for images, checksum in self._base.execute(rows):
            if zlib.crc32(images) != checksum:
                raise sqlite3.DatabaseError("images have changed")
            yield np.frombuffer(images, np.uint8).reshape(-1, *self.shape)

    def entries(self) -> Iterator[tuple[list[str], Rejected]]:
        """Sources and rejected photos of every entry, in the order of their numbers."""
        rows = "SELECT sources, rejected FROM entry ORDER BY number"
        for sources, rejected in self._base.execute(rows):
            yield json.loads(sources), [(source, why) for source, why in json.loads(rejected)]


@contextlib.contextmanager
def unfinished(path: Path, *, size: int, fresh: bool) -> Iterator[Journal | None]:
    """The journal of the store at `path`, for this process alone; None if that is there by then.

    It is removed when the block ends well, the input is bad or the journal itself damaged, and
    otherwise left for the next try.
    """
    folder = path.with_name(f".{path.stem}.unfinished")
    waiting = f"waiting for another process, which is at work on {path.parent}"
    try:
        with turn(folder.with_suffix(".lock"), waiting=waiting):
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
    except sqlite3.OperationalError as error:  # a full disk, or a file that somebody has locked
        raise InputError(f"{path}: cannot be written ({error}); give data=FOLDER") from error
    except sqlite3.DatabaseError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise InputError(
            f"{folder}: the unfinished work cannot be used ({error}) and is deleted; run the"
            " command again"
        ) from error
    except OSError as error:
        reason = error.strerror or error
        read = str(error.filename or path)
        if not Path(read).is_relative_to(path.parent):  # a photo, or a file of the preparation
            raise InputError(f"{read}: cannot be read ({reason})") from error
        raise InputError(f"{path}: cannot be written ({reason}); give data=FOLDER") from error
