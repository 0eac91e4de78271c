"""The gallery's SQLite file: created atomically, checked before use, changed in transactions.

The file may be damaged, or come from somebody else. It is compared with the schema before anything
in it is used, and nothing is written into a file that is not a gallery.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tripletlab.errors import InputError, brief
from tripletlab.system.files import write_whole
from tripletlab.system.locks import writing_into

DAMAGED = (sqlite3.Error, UnicodeDecodeError)  # the latter from messages that quote the file
FORMAT = 2  # 1 lacks ADDED; it is read, and gets them with the first change
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
ADDED = (
    "ALTER TABLE photo ADD COLUMN side INTEGER",  # of the face in the middle of the picture
    "ALTER TABLE photo ADD COLUMN detector TEXT",  # Bundle.detector, which found that face
)
ALL = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"


class Maker(NamedTuple):
    """Whose embeddings a gallery has: a bundle's fingerprint, and their dimension."""

    fingerprint: str
    dim: int


def open_file(folder: Path, maker: Maker) -> sqlite3.Connection:
    """Open the gallery in a folder, whoever made it, or create one of this maker there.

    A folder and a file created here are private to their owner; an existing folder keeps its
    permissions. InputError where the file is not a gallery.
    """
    path = folder / FILE
    with _reported(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with writing_into(folder):
            if not os.path.lexists(path):
                with contextlib.closing(empty(maker)) as new:
                    write_whole(path, new.serialize(), mode=0o600)
        base = _connect(path)
        try:
            for pragma in ("foreign_keys = ON", "secure_delete = ON", "synchronous = FULL"):
                base.execute(f"PRAGMA {pragma}")
        except BaseException:
            base.close()
            raise
    return base


def identity(folder: Path) -> tuple[int, int] | None:
    """Device and inode of the gallery's file, or None: another file in its place has others."""
    with contextlib.suppress(OSError):
        state = (folder / FILE).stat()
        return state.st_dev, state.st_ino
    return None


@contextlib.contextmanager
def transaction(base: sqlite3.Connection, mode: str = "IMMEDIATE") -> Iterator[None]:
    """Change everything in the block or nothing; other processes wait for it to write.

    A DEFERRED one reads one state of the file throughout, and keeps nobody waiting.
    """
    try:
        base.execute(f"BEGIN {mode}")
        yield
        base.execute("COMMIT")
    except BaseException:
        if base.in_transaction:
            base.execute("ROLLBACK")
        raise


def upgrade(base: sqlite3.Connection) -> None:
    """Within a transaction: give a gallery of format 1 the columns of the present one."""
    if base.execute("SELECT format FROM made_by").fetchone() == (1,):
        for column in ADDED:
            base.execute(column)
        base.execute("UPDATE made_by SET format = ?", (FORMAT,))


def maker_of(base: sqlite3.Connection) -> Maker | None:
    """Who made a gallery; None where that is damaged."""
    match base.execute("SELECT * FROM made_by LIMIT 2").fetchall():
        case [(version, str(fingerprint), int(dim))] if version in (1, FORMAT) and dim > 0:
            return Maker(fingerprint, dim)
    return None


def origin(folder: Path) -> Maker:
    """Who made the gallery in a folder.

    InputError where there is no gallery; nothing is created.
    """
    path = folder / FILE
    if not os.path.lexists(path):
        raise InputError(f"{folder}: no gallery is there; `tripletlab enrol` begins one")
    with _reported(folder), contextlib.closing(_connect(path)) as base:
        if maker := maker_of(base):
            return maker
    raise InputError(f"{path}: not a gallery; give another --gallery")


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file; InputError unless it has the tables of a gallery, in either format."""
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path}: not a file of its own; give another --gallery")
    base = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10
    )
    try:
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        base.execute("PRAGMA trusted_schema = OFF")
        wanted = [_tables(version) for version in (1, FORMAT)]
        if base.execute(ALL).fetchmany(len(wanted[0]) + 1) not in wanted:
            raise InputError(
                f"{path}: not a gallery, or one of another version of tripletlab; give another"
                " --gallery"
            )
        match base.execute("SELECT format FROM made_by LIMIT 1").fetchone():
            case (int(version),) if version not in (1, FORMAT):
                raise InputError(
                    f"{path}: its format is {version} and not {FORMAT}: another version of"
                    " tripletlab keeps it; use that one, or another --gallery"
                )
    except BaseException:
        base.close()
        raise
    return base


def _tables(version: int) -> list[tuple[str, ...]]:
    """The schema of a format, as SQLite lists it."""
    with contextlib.closing(empty(Maker("", 0), version)) as base:
        return base.execute(ALL).fetchall()


def empty(maker: Maker, version: int = FORMAT) -> sqlite3.Connection:
    """A gallery without people, in memory."""
    base = sqlite3.connect(":memory:", isolation_level=None)
    base.executescript(SCHEMA)
    base.execute("INSERT INTO made_by VALUES (1, ?, ?)", maker)
    if version == FORMAT:
        upgrade(base)
    return base


@contextlib.contextmanager
def _reported(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, *DAMAGED) as error:
        raise InputError(f"{folder}: no gallery can be kept there ({brief(error)})") from error
