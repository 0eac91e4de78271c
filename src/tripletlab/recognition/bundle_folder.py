"""The folder of a bundle: which of its files are the bundle's, and who may write there."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.system.files import UNFINISHED
from tripletlab.system.locks import writing_into

MANIFEST = "bundle.json"
README = "README.md"
# Which `export` adds on request
FORMATS = KERAS, SAVEDMODEL, LITERT = "embedder.keras", "savedmodel", "embedder.tflite"
LONGEST = 1 << 22  # bytes of bundle.json
KEYS = {"format", "weights", "faces", "card"}  # of bundle.json in every format
_CONTENT = r"(embedder|yunet)-[0-9a-f]{64}\.onnx"
OWN_FILE = re.compile(_CONTENT)
_WHOLE = "|".join([_CONTENT, *map(re.escape, (MANIFEST, README))])  # as `write_whole` writes
_ADDED = "|".join(map(re.escape, FORMATS))  # as `add_to_bundle` does
_UNFINISHED_FILE = re.compile(
    rf"\.({_WHOLE}){re.escape(UNFINISHED)}[0-9a-f]{{8}}|{re.escape(UNFINISHED)}({_ADDED})"
)


def add_to_bundle(folder: Path, name: str, save: Callable[[Path], object]) -> None:
    """Add the network in another format, a file or a folder, atomically."""
    unfinished = folder / f"{UNFINISHED}{name}"
    try:
        save(unfinished)
        os.replace(unfinished, folder / name)
    finally:
        remove(folder, [unfinished.name])


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[set[str]]:
    """Lock the folder while the block writes a bundle; yields the names of older bundles' files.

    InputError where it holds other things and no bundle. A block that fails leaves what was there.
    """
    fresh = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with writing_into(folder):
            older = _own_files(folder)
            others = any(path.name not in older for path in folder.iterdir())
            if others and not _holds_bundle(folder, older):
                raise InputError(f"{folder}: there are other things in it; give a new folder")
            try:
                yield older
            except BaseException:
                remove(folder, _own_files(folder) - older)
                raise
    finally:
        if fresh and not any(folder.iterdir()):
            folder.rmdir()


def _own_files(folder: Path) -> set[str]:
    """The names of a bundle's own files, and of those that a killed process left unfinished."""
    names = {path.name for path in folder.iterdir()}
    return {one for one in names if OWN_FILE.fullmatch(one) or _UNFINISHED_FILE.fullmatch(one)}


def _holds_bundle(folder: Path, own: Collection[str]) -> bool:
    """Whether its bundle.json is a bundle's, in whatever format; beside `own` files any is."""
    path = folder / MANIFEST
    if not path.is_file() or own:
        return path.is_file()
    with contextlib.suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= LONGEST:
            plain = json.loads(path.read_text("utf-8"))
            return isinstance(plain, dict) and plain.keys() >= KEYS
    return False


def remove(folder: Path, names: Collection[str]) -> None:
    """Delete files and folders of these names, where they are there."""
    for name in names:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
