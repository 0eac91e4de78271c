"""The enrolled people: a folder with one SQLite file that only its owner can read.

Every change is a transaction: a killed process leaves the state before or after it. What is
deleted is overwritten in the file. Several processes may use a gallery at once.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError, brief
from tripletlab.recognition.gallery_file import (
    DAMAGED,
    Maker,
    empty,
    identity,
    maker_of,
    open_file,
    origin,
    transaction,
    upgrade,
)
from tripletlab.recognition.names import is_name, normal, valid_name
from tripletlab.recognition.reembedding import Embed, embed_anew
from tripletlab.recognition.search import Enrolled, is_unit

ELSEWHERE = "give another --gallery"
GONE = "the gallery was deleted or replaced; nobody is known until it is opened again"
OTHER_MODEL = (
    "these people were enrolled with another model, whose embeddings cannot be compared with this"
    " one's; open it again, give another --gallery, or the bundle it was made with"
)


class Shot(NamedTuple):
    """An enrolled photo: its unit embedding (dim,), and what is kept of it (as a KeptPhoto)."""

    embedding: NDArray[np.float32]
    picture: bytes
    side: int | None = None
    detector: str | None = None


class EnrolledPerson(NamedTuple):
    """An enrolled person: the number of photos, and when the first and the last were taken.

    In `unused` ones the present network finds no face. The times are in seconds since 1970, None
    without photos.
    """

    name: str
    photos: int
    unused: int
    first: float | None
    last: float | None


class Gallery:
    """Names, embeddings and pictures. To be used from one thread; any may read `enrolled`."""

    def __init__(
        self, folder: Path, *, fingerprint: str, dim: int, embed: Embed | None = None
    ) -> None:
        """Open the gallery, or create it.

        One with another model's embeddings is embedded anew by `embed`. InputError where there is
        none, and where the gallery is damaged or something else.
        """
        self.folder, self._dim, self._maker = folder, dim, Maker(fingerprint, dim)
        self._base = open_file(folder, self._maker)
        self._file = identity(folder)
        self.enrolled = Enrolled.read([], dim=dim)
        try:
            if embed is not None:
                with self._usable():
                    embed_anew(self._base, folder, self._maker, embed)
            self._load()
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, folder: Path) -> "Gallery":
        """A gallery that is there, of whatever bundle; InputError where there is none."""
        fingerprint, dim = origin(folder)
        return cls(folder, fingerprint=fingerprint, dim=dim)

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        """A transaction. InputError where the file is gone, or cannot be written by this model."""
        self._check_file()
        with self._usable(), transaction(self._base):
            self._check_maker()
            yield

    def _check_file(self) -> None:
        """InputError where the file was deleted or replaced: from now on nobody is known."""
        if identity(self.folder) != self._file:
            self._base.close()
            self._base, self.enrolled = empty(self._maker), self.enrolled.only()
            raise InputError(f"{self.folder}: {GONE}")

    def _check_maker(self) -> None:
        """InputError where the file is another model's: who was removed since is not known."""
        if maker_of(self._base) != self._maker:
            there = {name for (name,) in self._base.execute("SELECT name FROM person")}
            if not there.issuperset(self.enrolled.names):
                self.enrolled = self.enrolled.only(*sorted(there.intersection(self.enrolled.names)))
            raise InputError(f"{self.folder}: {OTHER_MODEL}")

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        """InputError where the file is damaged, missing or cannot be written."""
        try:
            yield
        except DAMAGED as error:
            raise InputError(
                f"{self.folder}: the gallery cannot be used ({brief(error)})"
            ) from error

    def _load(self) -> None:
        """Read everyone into memory; InputError for a damaged name or embedding, and where another
        process has embedded the gallery anew."""
        with self._usable(), transaction(self._base, "DEFERRED"):
            self._check_maker()
            rows = self._base.execute(
                "SELECT name, embedding FROM person LEFT JOIN photo ON photo.person = person.id"
                " ORDER BY photo.id"
            ).fetchall()
            version = self._version()
        try:
            self.enrolled = Enrolled.read(rows, dim=self._dim)
        except ValueError as error:
            raise InputError(f"{self.folder}: {error}; {ELSEWHERE}") from error
        self._loaded = version

    def _version(self) -> int:
        return int(self._base.execute("PRAGMA data_version").fetchone()[0])

    def refresh(self) -> None:
        """Load changes by another process; without any, `enrolled` stays the same object."""
        self._check_file()
        with self._usable():
            changed = self._version() != self._loaded
        if changed:
            self._load()

    def people(self) -> dict[str, int]:
        """Everyone by name, and the number of photos of each."""
        return {one.name: one.photos for one in self.persons()}

    def persons(self) -> list[EnrolledPerson]:
        """Everyone, sorted by name."""
        with self._usable():
            rows = self._base.execute(
                "SELECT name, COUNT(photo.id), COUNT(photo.id) FILTER (WHERE embedding = x''),"
                " MIN(taken), MAX(taken) FROM person LEFT JOIN photo ON photo.person = person.id"
                " GROUP BY person.id ORDER BY name"
            ).fetchall()
        return [EnrolledPerson(*row) for row in rows]

    def pictures(self, name: str) -> list[bytes]:
        """The pictures of a person, as the bytes of PNG or JPEG files, oldest first."""
        with self._usable():
            rows = self._base.execute(
                "SELECT picture FROM photo JOIN person ON photo.person = person.id"
                " WHERE name = ? ORDER BY photo.id",
                (name,),
            ).fetchall()
        return [picture for (picture,) in rows if isinstance(picture, bytes)]

    def add(
        self, name: str, shots: Sequence[Shot], *, instead: bool = False, new: bool = False
    ) -> None:
        """Enrol photos of a new or known person, in addition to or `instead` of those there.

        InputError where the person should be `new` and the name is taken, where photos are given
        `instead` of those of nobody, and for an embedding that is not a unit vector: it would match
        everybody or nobody. ValueError for one of another length than `dim`.
        """
        name = valid_name(name)
        for shot in shots:
            if shot.embedding.shape != (self._dim,):
                raise ValueError(f"an embedding of shape {shot.embedding.shape}, not {self._dim}")
            if not is_unit(shot.embedding):
                raise InputError(f"{name}: the network cannot embed a photo; give another one")
        with self._change():
            upgrade(self._base)
            if instead:  # nobody is enrolled again whom another process has removed
                person = self._id(name)
                self._base.execute("DELETE FROM photo WHERE person = ?", (person,))
            else:
                insert = "INSERT OR IGNORE INTO person (name) VALUES (?)"
                if not self._base.execute(insert, (name,)).rowcount and new:
                    raise _taken(name)
                person = self._id(name)
            for shot in shots:
                embedding = np.asarray(shot.embedding, np.float32).tobytes()
                row = (person, embedding, *shot[1:], time.time())
                self._base.execute(
                    "INSERT INTO photo (person, embedding, picture, side, detector, taken)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    row,
                )
        self._load()

    def rename(self, old: str, new: str) -> None:
        """Rename a person; InputError where the name is taken."""
        new = valid_name(new)
        with self._change():
            person = self._id(old)
            try:
                self._base.execute("UPDATE person SET name = ? WHERE id = ?", (new, person))
            except sqlite3.IntegrityError as error:
                raise _taken(new) from error
        self._load()

    def remove(self, *names: str) -> None:
        """Delete people with all their photos; nobody where one of them is not there."""
        with self._change():
            persons = [(self._id(name),) for name in names]
            self._base.executemany("DELETE FROM person WHERE id = ?", persons)
        self._load()

    def forget_everyone(self) -> None:
        """Delete everybody for good; the file is overwritten and shrunk."""
        with self._change():
            self._base.execute("DELETE FROM person")
        self._load()
        with self._usable():
            self._base.execute("VACUUM")

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _id(self, name: str) -> int:
        if is_name(name):  # anything else may be no text that SQLite takes
            row = self._base.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone()
            if row:
                return int(row[0])
        for person, other in self._base.execute("SELECT id, name FROM person").fetchall():
            if normal(other) == normal(name):  # galleries of before have other forms of names
                return int(person)
        raise InputError(f"{name}: nobody of that name is in the gallery")


def _taken(name: str) -> InputError:
    return InputError(f"{name} is there already; give another name")
