"""Temporary files: one folder a process, gone when it ends or when the next one starts."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.system.locks import abandoned

PREFIX = "tripletlab-"
LOCK = ".tripletlab-temporary"  # held while the folder is in use; marks it as ours to delete
YOUNG = 60.0  # seconds in which a folder may not have taken its lock yet


@contextlib.contextmanager
def temporary_files() -> Iterator[Path]:
    """The folder of all temporary files that this process, its libraries and its children make.

    It is deleted at the end, and what killed processes have left is deleted now.
    """
    _delete_abandoned(Path(tempfile.gettempdir()))
    before = os.environ.get("TMPDIR"), tempfile.tempdir
    folder = _new_folder()
    with (folder / LOCK).open("w") as lock:
        with contextlib.suppress(OSError):  # a file system without locks: then nobody deletes it
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
            yield folder
        finally:
            tempfile.tempdir = before[1]
            os.environ.pop("TMPDIR")
            if before[0] is not None:
                os.environ["TMPDIR"] = before[0]
            shutil.rmtree(folder, ignore_errors=True)


def _new_folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError as error:
        raise InputError(
            f"no temporary folder can be made ({error}); set TMPDIR to a folder that can be written"
        ) from error


def _delete_abandoned(parent: Path) -> None:
    """Delete this user's folders in `parent` that no process holds any more."""
    for lock in abandoned(parent.glob(f"{PREFIX}*/{LOCK}"), age=YOUNG):
        if lock.parent.lstat().st_uid == os.getuid():
            shutil.rmtree(lock.parent, ignore_errors=True)
