"""A tree of photos: a folder whose sub-folders are identities."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tripletlab.errors import InputError, Unavailable
from tripletlab.photos.names import numbered


@dataclass(frozen=True)
class Tree:
    """`folders` together hold the identities; `cropped` says that the photos are faces already.

    `display_names` has the person's name for a folder that is only numbered, where it is known.
    """

    name: str
    folders: tuple[Path, ...]
    cropped: bool
    display_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in self.folders:
            if not folder.is_dir():
                raise InputError(
                    f"{folder}: no such folder; give one with a folder for each person"
                )
            inside = _visible(folder)
            if not any(path.is_dir() for path in inside):
                hint = f" (did you mean its parent, {folder.parent}?)" if inside else ""
                raise InputError(
                    f"{folder}: no folder in it; put each person's photos into one{hint}"
                )


def list_identities(tree: Tree) -> dict[str, list[Path]]:
    """Each identity's photos, both sorted by name; hidden files and folders are passed over."""
    found = {name: photos_in(folders) for name, folders in identity_folders(tree).items()}
    identities = {name: files for name, files in found.items() if files}
    if not identities:
        raise no_photos(tree)
    return identities


def identity_folders(tree: Tree) -> dict[str, list[Path]]:
    """Each identity's folders, one in every part of the tree at most, sorted by name."""
    identities: dict[str, list[Path]] = {}
    for folder in tree.folders:
        for person in _visible(folder):
            if person.is_dir():
                identities.setdefault(readable(person.name), []).append(person)
    return dict(sorted(identities.items()))


def files_beside(tree: Tree) -> list[Path]:
    """The files beside the identities' folders, which are nobody's."""
    return [path for folder in tree.folders for path in _visible(folder) if not path.is_dir()]


def photos_in(folders: Iterable[Path]) -> list[Path]:
    """Whatever lies in an identity's folders, sorted by name in each, without what is hidden.

    Nothing is opened: what is no photo is rejected when it is read.
    """
    return [path for folder in folders for path in _visible(folder)]


def _visible(folder: Path) -> list[Path]:
    """What is in a folder, sorted, without what is hidden; Unavailable where it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        reason = error.strerror or error
        raise Unavailable(
            f"{folder}: cannot be read ({reason}); give its photos to read"
        ) from error


def one_deeper(tree: Tree, folder: Path) -> InputError:
    """The error to raise where the people's folders hold folders, such as `folder`, alone."""
    return InputError(
        f"{tree.folders[0]}: its sub-folders hold folders, not photos; give the folder in which"
        f" each person has one (did you mean {folder.parent}?)"
    )


def display_names(tree: Tree, folders: Collection[str]) -> dict[str, str]:
    """The person's name for every folder of a tree; empty where only a number is known."""
    unknown = numbered([folder for folder in folders if folder not in tree.display_names])
    return {
        folder: "" if folder in unknown else tree.display_names.get(folder, folder)
        for folder in folders
    }


def source(file: Path) -> str:
    """How a photo is named in a store: tree/person/file, readable, without the way there."""
    return readable("/".join(file.parts[-3:]))


def readable(name: str) -> str:
    """A file's name as text; bytes that are not UTF-8 are written as \\xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def no_photos(tree: Tree) -> InputError:
    """The error to raise where a tree holds none."""
    where = ", ".join(map(str, tree.folders))
    return InputError(f"{where}: no photos; put each person's into a folder of their own")
