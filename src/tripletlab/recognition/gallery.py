"""The people that were enrolled: a folder that only its owner can read, with one SQLite file.

Every change is a transaction, so that a process that is killed leaves the state before or after
it. What is deleted is overwritten. Several processes may use a gallery at once.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.recognition.search import Enrolled

FORMAT = 1
FILE = "gallery.sqlite"
LONGEST_NAME = 60
SCHEMA = """
CREATE TABLE made_by (format INTEGER, fingerprint TEXT, dim INTEGER);
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE photo (
  id INTEGER PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
  embedding BLOB NOT NULL,
  picture BLOB NOT NULL,
  taken REAL NOT NULL
);
CREATE INDEX photo_of ON photo (person);
"""


class Shot(NamedTuple):
    """An enrolled photo: the embedding (dim,), and a picture of it as a JPEG file's bytes."""

    embedding: NDArray[np.float32]
    picture: bytes


class Gallery:
    """Names, embeddings and pictures. Use it from one thread; `enrolled` may be read from any."""

    def __init__(self, folder: Path, *, fingerprint: str, dim: int) -> None:
        """Open the gallery, or begin one. InputError where another model's embeddings are in it."""
        self.folder, self._dim = folder, dim
        self._fingerprint = fingerprint
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
            self._open()
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"{folder}: no gallery can be kept there ({error})") from error
        self._load()

    def _open(self) -> None:
        self._base = sqlite3.connect(self.folder / FILE, isolation_level=None, timeout=10)
        (self.folder / FILE).chmod(0o600)
        for pragma in ("foreign_keys = ON", "secure_delete = ON", "synchronous = FULL"):
            self._base.execute(f"PRAGMA {pragma}")
        with self._change():
            if not self._base.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in SCHEMA.split(";"):
                    self._base.execute(statement)
                made_by = (FORMAT, self._fingerprint, self._dim)
                self._base.execute("INSERT INTO made_by VALUES (?, ?, ?)", made_by)
        found = self._base.execute("SELECT * FROM made_by").fetchone()
        if found != (FORMAT, self._fingerprint, self._dim):
            self._base.close()
            raise InputError(
                f"{self.folder}: these people were enrolled with another model, whose embeddings"
                " mean nothing to this one; give another --gallery, or the bundle it was made with"
            )

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        """A transaction: all of it or nothing. InputError where the file cannot be written."""
        try:
            self._base.execute("BEGIN IMMEDIATE")
            yield
            self._base.execute("COMMIT")
        except BaseException as error:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise InputError(f"{self.folder}: cannot be written ({error})") from error
            raise

    def _load(self) -> None:
        rows = self._base.execute(
            "SELECT name, embedding FROM person JOIN photo ON photo.person = person.id"
            " ORDER BY name, photo.id"
        ).fetchall()
        names, counts = np.unique([name for name, _ in rows], return_counts=True)
        flat = np.frombuffer(b"".join(embedding for _, embedding in rows), np.float32)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.enrolled = Enrolled(names.tolist(), flat.reshape(-1, self._dim), offsets)
        self._seen = self._version()

    def _version(self) -> int:
        return int(self._base.execute("PRAGMA data_version").fetchone()[0])

    def refresh(self) -> bool:
        """Load what another process has changed; says whether there was anything."""
        if self._version() == self._seen:
            return False
        self._load()
        return True

    def people(self) -> dict[str, int]:
        """Everyone, by name, and how many photos of each there are."""
        return dict(
            self._base.execute(
                "SELECT name, COUNT(photo.id) FROM person LEFT JOIN photo ON photo.person ="
                " person.id GROUP BY person.id ORDER BY name"
            ).fetchall()
        )

    def pictures(self, name: str) -> list[bytes]:
        """The pictures of a person, as JPEG files' bytes, oldest first."""
        rows = self._base.execute(
            "SELECT picture FROM photo JOIN person ON photo.person = person.id"
            " WHERE name = ? ORDER BY photo.id",
            (name,),
        )
        return [picture for (picture,) in rows]

    def add(self, name: str, shots: Sequence[Shot], *, instead: bool = False) -> None:
        """Enrol photos of a person, new or known; `instead` of those that are there, or beside."""
        name = valid_name(name)
        with self._change():
            self._base.execute("INSERT OR IGNORE INTO person (name) VALUES (?)", (name,))
            person = self._id(name)
            if instead:
                self._base.execute("DELETE FROM photo WHERE person = ?", (person,))
            for shot in shots:
                embedding = np.asarray(shot.embedding, np.float32)
                if embedding.shape != (self._dim,):
                    raise ValueError(f"an embedding of shape {embedding.shape}, not {self._dim}")
                row = (person, embedding.tobytes(), shot.picture, time.time())
                self._base.execute(
                    "INSERT INTO photo (person, embedding, picture, taken) VALUES (?, ?, ?, ?)", row
                )
        self._load()

    def rename(self, old: str, new: str) -> None:
        """Give a person another name; InputError when somebody has it."""
        new = valid_name(new)
        with self._change():
            person = self._id(old)
            try:
                self._base.execute("UPDATE person SET name = ? WHERE id = ?", (new, person))
            except sqlite3.IntegrityError as error:
                raise InputError(f"{new} is there already; give another name") from error
        self._load()

    def remove(self, name: str) -> None:
        """Delete a person with all photos."""
        with self._change():
            self._base.execute("DELETE FROM person WHERE id = ?", (self._id(name),))
        self._load()

    def forget_everyone(self) -> None:
        """Delete everybody for good; the file is overwritten, emptied and made anew."""
        with self._change():
            self._base.execute("DELETE FROM person")
        self._base.execute("VACUUM")
        self._load()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _id(self, name: str) -> int:
        row = self._base.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise InputError(f"{name}: nobody of that name is in the gallery")
        return int(row[0])


def valid_name(name: str) -> str:
    """The name without spaces around it; InputError where nothing is left, or too much."""
    name = " ".join(name.split())
    if not name:
        raise InputError("give a name")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"{name!r} is not a name: 1 to {LONGEST_NAME} printable characters")
    return name
