"""Files that appear whole or not at all, even if the process is killed or the power fails."""

import contextlib
import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.system.locks import abandoned

UNFINISHED = ".unfinished-"  # in the name of a file that is being written


@contextlib.contextmanager
def whole(path: Path, *, mode: int = 0o666) -> Iterator[Path]:
    """A new file beside `path` for the block to fill; it takes the place of `path` at the end.

    Its content is on the disk before it is renamed. `mode` are its permissions, less the umask.
    What killed processes have left in the folder is deleted first.
    """
    delete_unfinished(path.parent)
    temporary, handle = _new_file(path, mode)
    try:
        yield temporary
        os.fsync(handle)
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def write_whole(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file that appears whole, in the place of an older one; see `whole`."""
    with whole(path, mode=mode) as temporary:
        temporary.write_bytes(content)


def copy_files(source: Path, folder: Path, *, last: str) -> None:
    """Copy the files of a folder, each of which appears whole; the one named `last` comes last.

    OSError for the first that cannot be written, where `shutil.copytree` raises an error of its
    own at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir(), key=lambda one: (one.name == last, one.name)):
        write_whole(folder / file.name, file.read_bytes())


def make_output_folder(path: Path) -> Path:
    """Make the folder of --to; InputError where it cannot be made or written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise InputError(f"--to {path}: cannot be written ({error.strerror})") from error


def delete_unfinished(folder: Path) -> None:
    """Delete the files in a folder that killed processes were writing."""
    for path in abandoned(folder.glob(f".*{UNFINISHED}{8 * '[0-9a-f]'}")):
        path.unlink(missing_ok=True)


def _new_file(path: Path, mode: int) -> tuple[Path, int]:
    """A temporary file beside `path`, and its handle, which holds its lock."""
    while True:
        temporary = path.with_name(f".{path.name}{UNFINISHED}{secrets.token_hex(4)}")
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with contextlib.suppress(OSError):  # a file system without locks: nobody deletes it then
            fcntl.flock(handle, fcntl.LOCK_EX)
        if temporary.exists():  # else it was taken for abandoned before it had its lock
            return temporary, handle
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """The new name is on the disk, too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # not every file system can
            os.fsync(handle)
    finally:
        os.close(handle)
