"""Locks that the system frees when their holder dies, however it dies."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tripletlab.errors import InputError


@contextlib.contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold the lock while the block runs; the value says whether it was free to take."""
    try:
        file = _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
        return
    with file:
        yield True


@contextlib.contextmanager
def turn(path: Path) -> Iterator[None]:
    """Wait until the lock is free, and hold it while the block runs."""
    with _locked(path, fcntl.LOCK_EX):
        yield


def _locked(path: Path, how: int) -> TextIO:
    """The file of that name, locked; opened again where its last holder has deleted it meanwhile.

    A lock on a file without a name would be no lock: the next process makes another file.
    BlockingIOError where `how` does not wait; InputError where the folder cannot have a lock.
    """
    while True:
        with contextlib.ExitStack() as opened:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                file = opened.enter_context(path.open("a"))
            except OSError as error:
                raise InputError(f"{path.parent}: cannot be written ({error.strerror})") from error
            try:
                fcntl.flock(file, how)
            except BlockingIOError:
                raise
            except OSError as error:
                raise InputError(
                    f"{path.parent}: its file system has no locks ({error.strerror}); use a local"
                    " disk, or NFS that is mounted with locks"
                ) from error
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    opened.pop_all()
                    return file


@contextlib.contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Wait until no other process holds the folder, and hold it while the block runs.

    The folder itself is locked, so that no file stays in it. A file system that cannot lock
    folders (some of a network) leaves it to the user to write from one process at a time.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
