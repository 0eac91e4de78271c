"""Files and folders that appear whole or not at all, even if the process is killed."""

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.system.locks import abandoned, delete_unlocked, turn

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


def make_whole_folder(
    path: Path, fill: Callable[[Path], None], *, is_whole: Callable[[Path], bool] = Path.is_dir
) -> None:
    """Make a folder that appears whole: `fill` is given a new one beside it, which takes its place.

    Nothing is done where the path `is_whole` already. One process at a time fills it, the others
    wait; what killed ones have left beside it is deleted. InputError where it cannot be written.
    """
    delete_unlocked(path.parent.glob(".*.unfinished"))
    if is_whole(path):
        return
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with turn(unfinished.with_suffix(".lock")):
            try:
                if not is_whole(path):  # another process may have filled it meanwhile
                    for old in (unfinished, path):  # of one that was killed; with files missing
                        shutil.rmtree(old, ignore_errors=True)
                    unfinished.mkdir()
                    fill(unfinished)
                    unfinished.replace(path)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be written ({reason}); give data=FOLDER") from error


def copy_files(source: Path, folder: Path, *, last: str) -> None:
    """Copy the files of a folder, each of which appears whole; the one named `last` comes last.

    OSError for the first that cannot be written, where `shutil.copytree` raises an error of its
    own at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir(), key=lambda one: (one.name == last, one.name)):
        write_whole(folder / file.name, file.read_bytes())


def make_output_folder(path: Path) -> None:
    """Make the folder of --to; InputError where it cannot be made or written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
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
