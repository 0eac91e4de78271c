"""SQLite databases: their files, and copies of those in folders that cannot be written."""

import atexit
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from tripletlab.errors import InputError


def sqlite_file(url: str) -> Path | None:
    """The file of a database in SQLite, links followed; None for any other database."""
    path = url.removeprefix("sqlite:///").partition("?")[0]  # options may follow
    if not url.startswith("sqlite:///") or path in ("", ":memory:"):
        return None
    return Path(path).resolve()


def temporary_copy(database: Path) -> Path:
    """A copy to read, deleted when the process ends; InputError where the database is damaged."""
    folder = Path(tempfile.mkdtemp(prefix="tripletlab-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy, address = folder / database.name, f"file:{quote(str(database))}?mode=ro"
    for more in ("", "&immutable=1"):  # the second, for a journal that nobody can write
        try:
            with (
                closing(sqlite3.connect(address + more, uri=True, timeout=60)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
            return copy
        except sqlite3.DatabaseError as error:
            reason = error
    raise InputError(f"{database}: cannot be read ({reason})") from reason
