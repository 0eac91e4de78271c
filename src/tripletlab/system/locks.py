"""Locks that the system frees when their holder dies, however it dies."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from tripletlab.errors import InputError
from tripletlab.system.progress import say


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
def turn(path: Path, *, waiting: str | None = None) -> Iterator[None]:
    """Hold the lock while the block runs, then delete its file.

    Where another process holds it, say `waiting` and wait until it is free.
    """
    try:
        file = _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting:
            say(waiting)
        file = _locked(path, fcntl.LOCK_EX)
    with file:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def abandoned(files: Iterable[Path], *, age: float = 0.0) -> Iterator[Path]:
    """The files that no process locks any more; each is locked while the caller handles it.

    What was changed in the last `age` seconds, or cannot be opened or locked, is passed over. No
    process number is compared: by now it may be another process's, and other machines have theirs.
    """
    for path in files:
        with contextlib.suppress(OSError):
            if path.is_file() and time.time() - path.stat().st_mtime >= age:
                with path.open("r+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    yield path


def delete_unlocked(folders: Iterable[Path], *, age: float = 0.0) -> None:
    """Delete each folder `.NAME.unfinished` that no process locks by `.NAME.lock` beside it.

    What was changed in the last `age` seconds, or cannot be deleted, stays; a folder that holds
    nothing else goes, too.
    """
    for folder in folders:
        lock = folder.with_suffix(".lock")
        with contextlib.suppress(OSError, InputError), held(lock) as free:
            if free:
                with contextlib.suppress(OSError):  # its process has just deleted it
                    changed = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
                    if time.time() - changed >= age:
                        shutil.rmtree(folder)
                lock.unlink(missing_ok=True)
                folder.parent.rmdir()


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
