"""Where photos come from: targets of conf/photos/ and conf/verification/."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tripletlab.errors import InputError
from tripletlab.photos.tree import Tree, list_identities

MAP_PEOPLE = 20  # of the UMAP figure, with as many photos each (paper, section III.D)
LFW_FOLDERS = ("lfw-deepfunneled", "lfw_funneled", "lfw-funneled", "lfw")

Fraction = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class TrainingPhotos:
    """Photos to learn from; the same folder name in two trees is the same person."""

    title: str
    trees: tuple[Tree, ...]


@dataclass(frozen=True)
class VerificationPhotos:
    """Photos in LFW's layout with the pairs that judge a model; `map_people` are drawn as a map."""

    title: str
    tree: Tree
    pairs: Path
    map_people: tuple[str, ...]


@dataclass(frozen=True)
class Heldout:
    """Pairs of identities that are kept out of the training photos themselves."""

    fraction: float
    folds: int
    per_fold: int
    seed: int


def slug(title: str) -> str:
    """A title as part of a file's or a model's name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]


def folder(*, detected: list[str], cropped: list[str]) -> TrainingPhotos:
    """Folders of one folder a person: photos to find a face in, and faces cropped already."""
    paths = [(_place(path), False) for path in detected] + [
        (_place(path), True) for path in cropped
    ]
    if not paths:
        raise InputError(
            "photos=folder needs a folder: give photos.detected=[FOLDER,…] for photos,"
            " photos.cropped=[FOLDER,…] for faces that are cropped already"
        )
    names = _different([path.name for path, _ in paths])
    trees = [Tree(name, (path,), crop) for name, (path, crop) in zip(names, paths, strict=True)]
    return TrainingPhotos("photos: " + " + ".join(names), tuple(trees))


def vggface2(*, path: str) -> TrainingPhotos:
    """VGGFace2 as it is unpacked; its train and test folders are merged (paper, section III.A)."""
    root = _place(path)
    parts = tuple(part for part in (root / "train", root / "test") if part.is_dir())
    return TrainingPhotos("VGGFace2", (Tree("vggface2", parts or (root,), cropped=False),))


def lfw(*, path: str) -> VerificationPhotos:
    """Labeled Faces in the Wild: pairs.txt beside the folder of people, funneled or not."""
    return lfw_layout(_place(path), title="LFW")


def lfw_layout(path: Path, *, title: str) -> VerificationPhotos:
    """Photos laid out as LFW's; umap_people.txt, where there is one, names the people to map."""
    pairs = path / "pairs.txt"
    if not pairs.is_file():
        raise InputError(f"{pairs}: no such file; give the folder that holds LFW's pairs.txt")
    folders = [path / name for name in LFW_FOLDERS if (path / name).is_dir()]
    if not folders:
        raise InputError(f"{path}: none of the folders {', '.join(LFW_FOLDERS)} is in it")
    tree = Tree(folders[0].name, (folders[0],), cropped=False)
    listed = path / "umap_people.txt"
    people = listed.read_text().split() if listed.is_file() else _most_photographed(tree)
    return VerificationPhotos(title, tree, pairs, tuple(people[:MAP_PEOPLE]))


def heldout(
    *,
    fraction: Fraction,
    folds: Annotated[int, Field(ge=2, le=100)],
    per_fold: Annotated[int, Field(ge=1)],
    seed: int,
) -> Heldout:
    """A fraction of the training photos' identities, in pairs whose folds share none."""
    return Heldout(fraction, folds, per_fold, seed)


def _place(path: str) -> Path:
    """Absolute, for workers that were started elsewhere; `~` is the home folder."""
    return Path(path).expanduser().resolve()


def _most_photographed(tree: Tree) -> list[str]:
    identities = list_identities(tree)
    return [name for name, photos in identities.items() if len(photos) >= MAP_PEOPLE]


def _different(names: Sequence[str]) -> list[str]:
    """The names, numbered where one comes again."""
    return [
        name if names.index(name) == place else f"{name}-{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]
