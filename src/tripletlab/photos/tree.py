"""A tree of photos: a folder whose sub-folders are identities."""

from dataclasses import dataclass
from pathlib import Path

from tripletlab.errors import InputError


@dataclass(frozen=True)
class Tree:
    """`folders` together hold the identities; `cropped` says that the photos are faces already."""

    name: str
    folders: tuple[Path, ...]
    cropped: bool

    def __post_init__(self) -> None:
        for folder in self.folders:
            if not folder.is_dir():
                raise InputError(
                    f"{folder}: no such folder; give one with a folder for each person"
                )
            if not any(path.is_dir() for path in folder.iterdir()):
                raise InputError(f"{folder}: no folder in it; put each person's photos into one")


def list_identities(tree: Tree) -> dict[str, list[Path]]:
    """Each identity's photos, both sorted by name; hidden files and folders are passed over."""
    identities: dict[str, list[Path]] = {}
    for folder in tree.folders:
        for person in sorted(folder.iterdir()):
            if person.is_dir() and not person.name.startswith("."):
                identities.setdefault(person.name, []).extend(_files(person))
    identities = {name: files for name, files in sorted(identities.items()) if files}
    if not identities:
        where = ", ".join(map(str, tree.folders))
        raise InputError(f"{where}: no photos; put each person's into a folder of their own")
    return identities


def _files(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    )
