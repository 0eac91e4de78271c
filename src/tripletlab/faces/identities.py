"""The identities in trees of photos, before any photo is read."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tripletlab.faces.store_paths import listing
from tripletlab.photos.names import spelled_differently
from tripletlab.photos.sources import TrainingPhotos
from tripletlab.photos.tree import (
    display_names,
    files_beside,
    identity_folders,
    no_photos,
    one_deeper,
    photos_in,
    readable,
)
from tripletlab.system.progress import say


class IdentityPhotos(NamedTuple):
    """An identity in one tree: its place in the store, its folders and how many photos they hold.

    `name` is the folder's; `display_name` the person's, empty where the folder is only a number.
    `left_out` is why nothing of it is read, if so.
    """

    number: int
    name: str
    display_name: str
    tree: int
    cropped: bool
    folders: list[Path]
    photos: int
    left_out: str | None


def find_identities(photos: TrainingPhotos) -> tuple[list[IdentityPhotos], str]:
    """The identities, and a digest over all their photos, of which only the number is kept.

    InputError where a tree holds no photos, or mostly folders of them.
    """
    identities: list[IdentityPhotos] = []
    beside, empty = list[Path](), list[Path]()
    digest = hashlib.sha256()
    for place, tree in enumerate(photos.trees):
        before, deeper = len(identities), list[Path]()
        found = identity_folders(tree)
        names = display_names(tree, found)
        beside += files_beside(tree)
        for name, folders in found.items():
            files = photos_in(folders)
            if files:
                deeper += [files[0]] if all(file.is_dir() for file in files) else []
                known = len(identities), name, names[name], place
                identities.append(IdentityPhotos(*known, tree.cropped, folders, len(files), None))
                digest.update(f"{place} {name!r} {tree.cropped} {listing(files)}".encode())
                digest.update(names[name].encode("utf-8", "surrogateescape"))
            else:
                empty.append(folders[0])
        if len(identities) == before:
            raise no_photos(tree)
        if len(identities) - before <= 2 * len(deeper):
            raise one_deeper(tree, deeper[0])
    _say_passed_over(beside, empty)
    _warn_of_linked_folders(identities)
    if spelled := spelled_differently(one.name for one in identities):
        say(
            f"warning: taken for different people: {'; '.join(map(', '.join, spelled))}: give"
            " folders of one person the same name"
        )
    trees_of = Counter(one.name for one in identities if not one.display_name)
    if same := [name for name, trees in trees_of.items() if trees > 1]:
        say(
            f"warning: {len(same):,} people known by numbers alone, such as {same[0]}, are in"
            " several folders of photos and counted as the same person; where they are others,"
            " rename the folders of one set"
        )
    return identities, digest.hexdigest()


def _warn_of_linked_folders(identities: Sequence[IdentityPhotos]) -> None:
    """Warn where a link gives one folder of photos to people of different names."""
    first: dict[tuple[int, int], str] = {}
    for one in identities:
        for folder in one.folders:
            status = folder.stat()
            name = first.setdefault((status.st_dev, status.st_ino), one.name)
            if name != one.name:
                say(
                    f"warning: {name} and {one.name} are the same folder, by a link, and taken for"
                    " different people with the same photos: remove one of them"
                )


def _say_passed_over(beside: Sequence[Path], empty: Sequence[Path]) -> None:
    """How many files are nobody's, and how many people have none."""
    files = "file" if len(beside) == 1 else "files"
    folders = "person's folder" if len(empty) == 1 else "people's folders"
    parts = [
        f"{len(paths):,} {what}, such as {readable('/'.join(paths[0].parts[-2:]))}"
        for paths, what in (
            (beside, f"{files} beside the people's folders"),
            (empty, f"{folders} without photos"),
        )
        if paths
    ]
    if parts:
        say(f"passed over: {'; '.join(parts)}")
