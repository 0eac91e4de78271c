"""Pictures that are in the folders of different people, or in two sets: copies under other names.

A face cut from a copy of a photo by the same recipe has the same pixels, whatever its file's name.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.store import FaceStore, Images, PairStore
from tripletlab.photos.names import first_spellings, known_by
from tripletlab.system.progress import bar

PLAIN, BLOCK = 0, 1000  # in place of a digest; faces that are read at once
Rows = list[tuple[int, int]]


class SharedPictures(NamedTuple):
    """Rows of the same picture under the names of two people."""

    people: Rows  # two rows of the faces
    splits: int  # how many of `people` are in two splits, such as training and validation
    tested: Rows  # a row of the faces, and one of the test pairs


def shared_pictures(faces: FaceStore, pairs: PairStore) -> SharedPictures:
    """Compare all faces with each other and with the test pairs, unless these are held-out ones.

    Names that differ only in their spelling are one person. People known by numbers alone are not
    the same in two sets, whatever their numbers. A plain face, such as a black one, is no picture.
    """
    own, first = _digests(faces.images), first_spellings(faces.names)
    person = np.unique([first[name] for name in faces.names], return_inverse=True)[1][faces.entries]
    pictures, rows, place = np.unique(own, return_index=True, return_inverse=True)
    earlier, split = rows[place], faces.split[faces.entries]  # the picture's first row
    found = np.flatnonzero((own != PLAIN) & (person[earlier] != person))
    people = list(zip(earlier[found].tolist(), found.tolist(), strict=True))
    splits = int(np.sum(split[earlier[found]] != split[found]))
    if "held_out_of" in pairs.notes:
        return SharedPictures(people, splits, [])
    learned = _known(dict(zip(faces.names, faces.display_names, strict=True)))
    tested = _known(dict(zip(pairs.names, pairs.display_names, strict=True)))
    pictured = _digests(pairs.images)
    nearest = np.minimum(np.searchsorted(pictures, pictured), len(pictures) - 1)
    same = np.flatnonzero((pictured != PLAIN) & (pictures[nearest] == pictured)).tolist()
    both = [
        (int(row), one)
        for row, one in zip(rows[nearest[same]], same, strict=True)
        if not learned[faces.names[faces.entries[row]]] & tested[pairs.names[one]]
    ]
    return SharedPictures(people, splits, both)


def _known(people: dict[str, str]) -> dict[str, set[str]]:
    """By what people are known in any set; nothing for those who are only a number."""
    return {
        folder: names if people[folder] else set() for folder, names in known_by(people).items()
    }


def _digests(images: Images) -> NDArray[np.uint64]:
    """(n,) digests of the faces (n, size, size); PLAIN where all pixels are equal."""
    digests = np.zeros(len(images), np.uint64)
    with bar("Comparing faces", total=len(images)) as done:
        for start in range(0, len(images), BLOCK):
            block = images[start : start + BLOCK]
            digests[start : start + len(block)] = [_digest(image) for image in block]
            done(len(block))
    return digests


def _digest(image: NDArray[np.uint8]) -> int:
    if image.min() == image.max():
        return PLAIN
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=8).digest()
    return int.from_bytes(digest, "little")
