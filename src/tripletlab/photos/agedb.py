"""AgeDB-30, matched pairs of a person at ages 30 years apart: target of conf/verification/.

The protocol (Moschoglou et al., CVPR Workshops, 2017) comes as MATLAB's
04_FINAL_protocol_30_years.mat, for the photos of 03_Protocol_Images/. Its `splits` (10, 1) hold a
structure each: a cell array (2, 600) of photos, which are structures of a file name without
suffix and an age, and (1, 600) labels, 1 for matched and -1 for mismatched pairs. It is read so by
InsightFace (src/data/agedb2pack.py) and by FaceX-Zoo (test_protocol/lfw/pairs_parser.py).
"""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from tripletlab.errors import InputError, brief
from tripletlab.photos.listed_pairs import ListedPair, PairList, listed_photos
from tripletlab.photos.sources import VerificationPhotos, pairs_file
from tripletlab.system.foreign_files import require_file
from tripletlab.system.paths import absolute

LARGEST = 1 << 26  # bytes of the protocol, packed and unpacked
HEADER = 128  # bytes of a MATLAB file, before its first element
PACKED = 15  # the type of a compressed element


def agedb30(*, path: str, pairs: str, photos: str | None, cropped: bool) -> VerificationPhotos:
    """AgeDB-30: the folder with the protocol and, in a folder beside it, the photos."""
    file = pairs_file(absolute(path), pairs)
    listed = PairList(file, read_splits(file), person)
    return listed_photos(listed, title="AgeDB-30", photos=photos, cropped=cropped)


def person(photo: str) -> str:
    """Whose photo it is by its file name: Name_…, or ID_Name_AGE_GENDER as in the whole AgeDB."""
    first, _, rest = photo.partition("_")
    return rest.partition("_")[0] if first.isdecimal() else first


def read_splits(path: Path) -> list[ListedPair]:
    """The pairs of the protocol, a fold for each split. InputError where it has another form."""
    from scipy.io import loadmat

    try:
        require_file(path, largest=LARGEST)
        _require_unpacked(path.read_bytes())
        splits = loadmat(path, variable_names=["splits"])["splits"]
        found = [
            pair for fold, split in enumerate(splits[:, 0]) for pair in _pairs(split[0, 0], fold)
        ]
        if len(splits) < 2:
            raise ValueError("fewer than two splits")
        return found
    except Exception as error:  # a damaged file makes its reader raise nearly anything
        raise InputError(
            f"{path}: not AgeDB's protocol in MATLAB's form ({brief(error)})"
        ) from error


def _pairs(split: Any, fold: int) -> list[ListedPair]:
    photos, labels = split[0], split[1].ravel()
    if photos.shape != (2, len(labels)) or not np.isin(labels, (-1, 1)).all():
        raise ValueError(f"split {fold + 1} has no label of 1 or -1 for each pair")
    return [
        ListedPair(_file(first), _file(second), bool(label == 1), fold)
        for first, second, label in zip(*photos, labels, strict=True)
    ]


def _file(photo: Any) -> str:
    name = str(photo[0, 0][0][0])
    if "/" in name or not person(name):
        raise ValueError(f"{brief(name)} is no photo's name")
    return f"{name}.jpg"


def _require_unpacked(data: bytes) -> None:
    """ValueError where its elements have more than LARGEST bytes, unpacked."""
    order, start, total = ">II" if data[126:128] == b"MI" else "<II", HEADER, 0
    while start + 8 <= len(data):
        kind, size = struct.unpack_from(order, data, start)
        if kind == PACKED:
            packed = data[start + 8 : start + 8 + size]
            total += len(zlib.decompressobj().decompress(packed, LARGEST + 1))
        if total > LARGEST:
            raise ValueError(f"more than {LARGEST:,} bytes unpacked")
        start += 8 + size
