"""Where photos come from: targets of conf/photos/ and conf/verification/."""

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tripletlab.errors import InputError, brief
from tripletlab.photos.pairs import PairedPhotos
from tripletlab.photos.tree import Tree, identity_folders, list_identities, readable
from tripletlab.system.paths import absolute
from tripletlab.system.progress import say

MAP_PEOPLE = 20  # of the UMAP figure, with as many photos each (paper, section III.D)
PAIRS = "pairs.txt"  # the file of pairs that a set has by default
LFW_FOLDERS = ("lfw-deepfunneled", "lfw_funneled", "lfw-funneled", "lfw")

Fraction = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class TrainingPhotos:
    """Photos to train on; the same folder name in two trees is the same person."""

    title: str
    trees: tuple[Tree, ...]


@dataclass(frozen=True)
class VerificationPhotos:
    """Photos in LFW's layout with the pairs to verify; `map_people` are drawn as a map.

    The folds of several files of `pairs` follow each other. `instead` holds faces cropped already,
    Name_0001.pgm, for photos in which none is found. `read` reads photos in another layout.
    """

    title: str
    tree: Tree
    pairs: tuple[Path, ...]
    map_people: tuple[str, ...]
    instead: Path | None = None
    read: Callable[[], PairedPhotos] | None = None


@dataclass(frozen=True)
class Heldout:
    """Pairs of identities that are kept out of the training photos themselves."""

    fraction: float
    folds: int
    per_fold: int
    seed: int


def folder(*, detected: list[str], cropped: list[str]) -> TrainingPhotos:
    """Folders of one folder a person: photos to find a face in, and faces cropped already."""
    paths = [(absolute(path), False) for path in detected] + [
        (absolute(path), True) for path in cropped
    ]
    if not paths:
        raise InputError(
            "photos=folder needs a folder: give photos.detected=[FOLDER,…] for photos,"
            " photos.cropped=[FOLDER,…] for faces that are cropped already"
        )
    given = [path for path, _ in paths]
    if again := [path for path in given if given.count(path) > 1]:
        raise InputError(f"photos=folder: {again[0]} is given twice: leave out one of them")
    names = [readable(path.name) for path, _ in paths]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        same = " and ".join(str(path) for path, _ in paths if readable(path.name) == twice[0])
        raise InputError(
            f"photos=folder: {same} have the same name, {twice[0]}, by which photos are told apart:"
            " rename one"
        )
    trees = [Tree(name, (path,), crop) for name, (path, crop) in zip(names, paths, strict=True)]
    return TrainingPhotos("photos: " + " + ".join(names), tuple(trees))


def vggface2(*, path: str) -> TrainingPhotos:
    """VGGFace2 as it is unpacked; its train and test folders are merged (paper, section III.A)."""
    root = absolute(path)
    parts = tuple(part for part in (root / "train", root / "test") if part.is_dir())
    tree = Tree("vggface2", parts or (root,), cropped=False, display_names=_meta_names(root))
    return TrainingPhotos("VGGFace2", (tree,))


def lfw_people(*, path: str | None, download: bool) -> TrainingPhotos:
    """Labeled Faces in the Wild to train on; scikit-learn's copy unless a folder is given."""
    if path and download:
        raise InputError(
            f"photos.path={path} with photos.download=true: LFW is fetched into scikit-learn's own"
            " folder alone; leave out one of them"
        )
    root = absolute(
        path or f"{os.environ.get('SCIKIT_LEARN_DATA', '~/scikit_learn_data')}/lfw_home"
    )
    if download and not _lfw_folders(root):
        _download_lfw(root)
    return TrainingPhotos("LFW", (_lfw_tree(root),))


def lfw(*, path: str, pairs: list[str], lfwcrop: str | None) -> VerificationPhotos:
    """Labeled Faces in the Wild: the files of pairs beside the folder of people, funneled or not.

    `lfwcrop` is LFWcrop's folder of grey faces: where no face is found in a photo, its crop from
    there is taken (paper, section III.A).
    """
    photos = lfw_layout(absolute(path), title="LFW", pairs=pairs)
    if lfwcrop is None:
        return photos
    root = absolute(lfwcrop)
    faces = root / "faces" if (root / "faces").is_dir() else root
    if not any(faces.glob("*.pgm")):
        raise InputError(f"verification.lfwcrop={lfwcrop}: no .pgm files in it or in its faces/")
    return replace(photos, instead=faces)


def any_pairs(*, path: str, pairs: list[str], cropped: bool) -> VerificationPhotos:
    """Any other set: a folder a person with photos named as LFW's, and files of pairs beside."""
    root = absolute(path)
    title = readable(root.name)
    return _paired(root, Tree(title, (root,), cropped), title=title, pairs=pairs)


def lfw_layout(path: Path, *, title: str, pairs: Sequence[str] = (PAIRS,)) -> VerificationPhotos:
    """Photos laid out as LFW's: the files of pairs beside the folder that holds the people's."""
    return _paired(path, _lfw_tree(path), title=title, pairs=pairs)


def _paired(path: Path, tree: Tree, *, title: str, pairs: Sequence[str]) -> VerificationPhotos:
    """umap_people.txt, where there is one, names the people to map, one on each line.

    The title names files of pairs other than pairs.txt, which are another set of the same photos.
    """
    files = tuple(pairs_file(path, name) for name in pairs)
    if [file.name for file in files] != [PAIRS]:
        title = f"{title} ({', '.join(readable(file.stem) for file in files)})"
    listed = path / "umap_people.txt"
    people = _listed(listed, tree) if listed.is_file() else _most_photographed(tree)
    return VerificationPhotos(title, tree, files, tuple(people[:MAP_PEOPLE]))


def pairs_file(folder: Path, name: str) -> Path:
    """A file of pairs in a folder; InputError where it is not there."""
    file = folder / name
    if not file.is_file():
        inside = sorted(one for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []
        places = [folder.parent, *inside]
        there = next((one for one in places if (one / name).is_file()), None)
        hint = f" (did you mean {there}?)" if there else ""
        raise InputError(f"{file}: no such file; give the folder that holds the pairs{hint}")
    return file


def _listed(path: Path, tree: Tree) -> list[str]:
    """The people on the lines of a text file; InputError where one has no folder in the tree."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); write the names in UTF-8") from error
    names = [line.strip() for line in lines if line.strip()]
    there = identity_folders(tree)
    for name in names:
        if name not in there:
            raise InputError(
                f"{path}: {brief(name)} is no folder in {tree.folders[0]}; write the name of a"
                " person's folder on each line"
            )
    return names


def heldout(
    *,
    fraction: Fraction,
    folds: Annotated[int, Field(ge=2, le=100)],
    per_fold: Annotated[int, Field(ge=1)],
    seed: int,
) -> Heldout:
    """A fraction of the training photos' identities, in pairs whose folds share none."""
    return Heldout(fraction, folds, per_fold, seed)


def _lfw_tree(path: Path) -> Tree:
    folders = _lfw_folders(path)
    if not folders:
        hint = f" (did you mean {path.parent}?)" if _lfw_folders(path.parent) else ""
        raise InputError(
            f"{path}: none of the folders {', '.join(LFW_FOLDERS)} is in it; give the folder that"
            f" holds one of them and pairs.txt{hint}. To train on LFW, let scikit-learn fetch it:"
            " photos.download=true"
        )
    return Tree(folders[0].name, (folders[0],), cropped=False)


def _lfw_folders(path: Path) -> list[Path]:
    return [path / name for name in LFW_FOLDERS if (path / name).is_dir()]


def _download_lfw(root: Path) -> None:
    from sklearn.datasets import fetch_lfw_people

    say(f"scikit-learn fetches LFW (about 230 MB) into {root}")
    try:
        fetch_lfw_people(data_home=str(root.parent), min_faces_per_person=200)
    except (OSError, ValueError) as error:
        raise InputError(f"LFW cannot be fetched ({error}); give photos.path=FOLDER") from error


def _meta_names(root: Path) -> dict[str, str]:
    """The people's names in VGGFace2's identity_meta.csv, where that is there."""
    table = root / "identity_meta.csv"
    if not table.is_file():
        return {}
    try:
        with table.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = list(csv.reader(file, skipinitialspace=True))
    except (OSError, csv.Error) as error:
        raise InputError(f"{table}: cannot be read as a table ({error})") from error
    return {row[0]: row[1] for row in rows[1:] if len(row) > 1}


def _most_photographed(tree: Tree) -> list[str]:
    identities = list_identities(tree)
    return [name for name, photos in identities.items() if len(photos) >= MAP_PEOPLE]
