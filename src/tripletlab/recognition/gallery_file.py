"""The gallery's SQLite file: created atomically, and checked before use.

The file may be damaged, or come from somebody else. It is compared with the schema before anything
in it is used, and nothing is written into a file that is not a gallery.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tripletlab.errors import InputError, brief
from tripletlab.system.files import write_whole
from tripletlab.system.locks import writing_into

DAMAGED = (sqlite3.Error, UnicodeDecodeError)  # the latter from messages that quote the file
FORMAT = 1
FILE = "gallery.sqlite"
LONGEST_VALUE = 1 << 22  # bytes of a name, an embedding or a picture
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
ALL = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
OTHER_MODEL = (
    "these people were enrolled with another model, whose embeddings cannot be compared with this"
    " one's; give another --gallery, or the bundle it was made with"
)


def open_file(folder: Path, *, fingerprint: str, dim: int) -> sqlite3.Connection:
    """Open the gallery in a folder, or create it there.

    A folder and a file created here are private to their owner; an existing folder keeps its
    permissions. InputError where the file is not a gallery, or has another model's embeddings.
    """
    made_by = (FORMAT, fingerprint, dim)
    path = folder / FILE
    with _reported(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with writing_into(folder):
            if not os.path.lexists(path):
                _begin(path, made_by)
        base = _connect(path)
        try:
            if _made_by(base) != made_by:
                raise InputError(f"{folder}: {OTHER_MODEL}")
            for pragma in ("foreign_keys = ON", "secure_delete = ON", "synchronous = FULL"):
                base.execute(f"PRAGMA {pragma}")
        except BaseException:
            base.close()
            raise
    return base


def origin(folder: Path) -> tuple[str, int]:
    """The fingerprint of the bundle that a gallery was made with, and its embeddings' dimension.

    InputError where there is no gallery; nothing is created.
    """
    path = folder / FILE
    if not os.path.lexists(path):
        raise InputError(f"{folder}: no gallery is there; `tripletlab enrol` begins one")
    with _reported(folder), contextlib.closing(_connect(path)) as base:
        match _made_by(base):
            case [version, str(fingerprint), int(dim)] if version == FORMAT and dim > 0:
                return fingerprint, dim
    raise InputError(f"{path}: not a gallery; give another --gallery")


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file; InputError unless it has the tables of a gallery."""
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path}: not a file of its own; give another --gallery")
    base = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10
    )
    try:
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        base.execute("PRAGMA trusted_schema = OFF")
        with contextlib.closing(_empty((FORMAT, "", 0))) as empty:
            wanted = empty.execute(ALL).fetchall()
        if base.execute(ALL).fetchmany(len(wanted) + 1) != wanted:
            raise InputError(f"{path}: not a gallery; give another --gallery")
    except BaseException:
        base.close()
        raise
    return base


def _made_by(base: sqlite3.Connection) -> object:
    """The only row of made_by, or None."""
    rows = base.execute("SELECT * FROM made_by LIMIT 2").fetchall()
    return rows[0] if len(rows) == 1 else None


def _begin(path: Path, made_by: tuple[int, str, int]) -> None:
    """Create a gallery without people, atomically."""
    with contextlib.closing(_empty(made_by)) as base:
        write_whole(path, base.serialize(), mode=0o600)


def _empty(made_by: tuple[int, str, int]) -> sqlite3.Connection:
    base = sqlite3.connect(":memory:")
    base.executescript(SCHEMA)
    with base:
        base.execute("INSERT INTO made_by VALUES (?, ?, ?)", made_by)
    return base


@contextlib.contextmanager
def _reported(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, *DAMAGED) as error:
        raise InputError(f"{folder}: no gallery can be kept there ({brief(error)})") from error
