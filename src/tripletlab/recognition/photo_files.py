"""Photo files given to a command: folders searched, problems named."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tripletlab.errors import InputError
from tripletlab.faces.cropping import Photo, read_photo
from tripletlab.faces.recipe import unreadable
from tripletlab.system.progress import say

SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".bmp"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".jp2"),
}
UNSUPPORTED = {".heic", ".heif"}  # reported rather than passed over
MISSING = "no such file"


class PhotoFile(NamedTuple):
    """A photo's path, and its name relative to the folder that it was found in."""

    path: Path
    name: str


def photo_files(given: Sequence[Path]) -> list[PhotoFile]:
    """The files among `given`, and the photos in its folders at any depth, by suffix, sorted.

    Linked folders are searched last, and no folder twice. Hidden files and folders are passed over,
    and so are files of other suffixes, whose number is said. InputError for a folder that holds no
    photo, or that cannot be read.
    """
    files: list[PhotoFile] = []
    for path in given:
        found = _inside(path) if os.path.isdir(path) else [path]
        if not found:
            raise InputError(f"{path}: no photos in this folder")
        folder = path if os.path.isdir(path) else path.parent
        files += [PhotoFile(one, str(one.relative_to(folder))) for one in found]
    return files


def _inside(folder: Path) -> list[Path]:
    found, others, searched, starts = list[Path](), list[Path](), set[str](), [folder]
    for start in starts:  # the links that are found are added
        for root, folders, names in os.walk(start, onerror=_refuse):
            if (real := os.path.realpath(root)) in searched:
                folders.clear()
                continue
            searched.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            starts += [path for name in folders if (path := Path(root, name)).is_symlink()]
            for path in (Path(root, name) for name in sorted(names) if not name.startswith(".")):
                (found if path.suffix.lower() in SUFFIXES | UNSUPPORTED else others).append(path)
    if found and others:
        files = f"{len(others):,} file{'s' * (len(others) > 1)}"
        say(f"{folder}: passed over {files} without a photo's suffix, such as {others[0].name}")
    return found


def _refuse(error: OSError) -> None:
    raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from error


def read(path: Path, *, colour: bool) -> Photo:
    """The photo, as `read_photo` gives it; InputError says why it cannot be read."""
    photo = read_photo(path, colour=colour)
    if photo is None:
        raise InputError(f"{path}: {problem(path)}")
    return photo


def problem(path: Path) -> str:
    """Why a file cannot be read as a photo: it is missing, private, HEIC, damaged."""
    if not os.path.exists(path):
        return MISSING
    return unreadable(path)
