"""A new SQLite file of MLflow's, which appears with all its tables or not at all.

MLflow makes the tables in dozens of steps, each of which SQLite keeps: a process that is killed
between two of them would leave a file that no version of MLflow reads.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from tripletlab.errors import InputError
from tripletlab.system.databases import sqlite_file
from tripletlab.system.files import write_whole
from tripletlab.tracking import store


def make(uri: str) -> None:
    """Make the file of this store, if it is one in SQLite and is not there yet.

    The caller sees to it that no other process does the same. InputError where it cannot be made.
    """
    file = sqlite_file(uri)
    if file and not (file.is_file() and file.stat().st_size):
        store.patiently(lambda: _make(file), limit=store.OPENING, uri=uri, why=store.NEW)


def _make(file: Path) -> None:
    tables = empty_database()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, tables)
    except OSError as error:
        if error.errno in store.FULL:
            raise
        raise InputError(f"{file}: cannot be written ({error.strerror})") from error


def empty_database() -> bytes:
    """The content of a file that has MLflow's tables and no run."""
    with TemporaryDirectory(prefix="tripletlab-") as folder:
        file = Path(folder, "mlflow.db")
        store.mlflow_client(f"sqlite:///{file}").search_experiments(max_results=1)
        return file.read_bytes()
