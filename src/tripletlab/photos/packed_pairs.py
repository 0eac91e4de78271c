"""InsightFace's packed verification sets, such as cfp_fp.bin: target of conf/verification/.

A .bin file is a pickle of two lists: the encoded photos, two for each pair, and whether each pair
is matched. InsightFace writes the photos as bytes (src/data/lfw2pack.py) or as NumPy arrays of
bytes (src/data/agedb2pack.py, cfp2pack.py), from Python 2; ten folds follow each other in the order
of the pairs (recognition/arcface_torch/eval/verification.py). They are faces of 112×112 pixels,
aligned by five landmarks.
"""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.photos.folds import (
    consecutive_folds,
    every_fold_has_both,
    folds_of_each_kind,
    require_enough,
)
from tripletlab.photos.pairs import Indices, PairedPhotos, Pairs
from tripletlab.photos.sources import VerificationPhotos
from tripletlab.photos.tree import Tree, readable
from tripletlab.system.files import make_whole_folder
from tripletlab.system.foreign_pickles import ByteArray, read_pickle
from tripletlab.system.paths import absolute
from tripletlab.system.progress import say

FOLDS = 10
LARGEST = 1 << 30  # bytes of a file; cfp_fp.bin has about 80 million
MOST_PAIRS = 100_000
INSIDE = "faces"  # the folder of the unpacked photos


def packed_pairs(*, folder: str, path: str, cropped: bool) -> VerificationPhotos:
    """A .bin file; its photos are unpacked below `folder`, each once, however many pairs it is in.

    People are known as far as matched pairs connect their photos: what they are called is the
    file's name and a number.
    """
    file = absolute(path)
    title = readable(file.name)
    photos, matched = read_packed(file)
    first_places: dict[bytes, int] = {}
    rows = np.array([first_places.setdefault(photo, len(first_places)) for photo in photos])
    pairs = Pairs(rows[::2], rows[1::2], matched, _folds(matched, file))
    root = _unpacked(Path(folder).resolve(), file.stem, list(first_places))
    read = partial(_paired, root, title, len(first_places), pairs)
    return VerificationPhotos(title, Tree(title, (root,), cropped), (file,), (), read=read)


def read_packed(path: Path) -> tuple[list[bytes], NDArray[np.bool_]]:
    """The encoded photos (2 * pairs), and whether each pair is matched (pairs,).

    Nothing in the file is executed. InputError where it holds anything else.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a packed set, such as cfp_fp.bin")
    found = read_pickle(path, largest=LARGEST)
    lists = isinstance(found, list | tuple) and len(found) == 2
    if not lists or not all(isinstance(one, list | tuple) for one in found):
        raise InputError(f"{path}: not a list of photos and a list of truth values")
    photos = [one.data if isinstance(one, ByteArray) else one for one in found[0]]
    pairs = len(found[1])
    if len(photos) != 2 * pairs or pairs > MOST_PAIRS:
        raise InputError(
            f"{path}: {len(photos):,} photos for {pairs:,} pairs; it should be two for each, and at"
            f" most {MOST_PAIRS:,} pairs"
        )
    for what, items, is_right, should in (
        ("photo", photos, _is_photo, "encoded bytes"),
        ("pair", found[1], _is_label, "marked as matched or mismatched"),
    ):
        for number, one in enumerate(items, 1):
            if not is_right(one):
                raise InputError(f"{path}: {what} {number:,} is not {should}")
    return photos, np.array(found[1], bool)


def _is_photo(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) > 0


def _is_label(value: Any) -> bool:
    return isinstance(value, int) and value in (0, 1)


def _folds(matched: NDArray[np.bool_], path: Path) -> Indices:
    """Ten consecutive folds, or where one would have a single kind of pairs, ten of each kind."""
    require_enough(matched, path, folds=FOLDS)
    fold = consecutive_folds(len(matched), folds=FOLDS)
    if every_fold_has_both(matched, fold, folds=FOLDS):
        return fold
    say(
        f"{path}: a tenth of the pairs, in their order, are all matched or all mismatched; each"
        " fold gets a tenth of the matched and a tenth of the mismatched pairs instead"
    )
    return folds_of_each_kind(matched, folds=FOLDS)


def _unpacked(parent: Path, name: str, photos: list[bytes]) -> Path:
    """The folder of the photos, which are written again where one is missing."""
    digest = hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in photos))
    path = parent / f"{name}-{digest.hexdigest()[:8]}"

    def unpack(root: Path) -> None:
        (root / INSIDE).mkdir()
        for row, photo in enumerate(photos):
            _file(root, row).write_bytes(photo)

    def is_whole(root: Path) -> bool:
        return all(
            (file := _file(root, row)).is_file() and file.stat().st_size == len(photo)
            for row, photo in enumerate(photos)
        )

    make_whole_folder(path, unpack, is_whole=is_whole)
    return path


def _file(root: Path, row: int) -> Path:
    return root / INSIDE / f"{row + 1:06d}.jpg"


def _paired(root: Path, title: str, photos: int, pairs: Pairs) -> PairedPhotos:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sides = pairs.first[pairs.matched], pairs.second[pairs.matched]
    links = coo_array((np.ones(len(sides[0])), sides), shape=(photos, photos))
    people = connected_components(links, directed=False)[1]
    return PairedPhotos(
        tuple(_file(root, row) for row in range(photos)),
        tuple(f"{title} {person + 1}" for person in people),
        ("",) * photos,
        pairs,
        map_rows=np.zeros(0, np.int64),
        key=tuple(one.tolist() for one in (pairs.first, pairs.second, pairs.matched, pairs.fold)),
        people_known=False,
    )
