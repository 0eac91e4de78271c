"""Folders for unfinished work, of which nothing stays, however the process ends."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tripletlab.errors import InputError


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder of this name while the block runs, for it and for the libraries' temporary files.

    What a killed process has left in it is removed first. InputError where another process is at
    work in it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from error
    usual = tempfile.tempdir
    try:
        if not _is_free(handle):
            raise InputError(f"{folder}: another process is at work there; wait for it to end")
        _empty(folder)
        tempfile.tempdir = str(folder.resolve())
        try:
            yield folder
        finally:
            tempfile.tempdir = usual
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _is_free(handle: int) -> bool:
    """Hold the folder until its handle is closed; False where another process holds it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that cannot lock folders
        pass
    return True


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
