"""Pictures that are in the folders of different people, or in two sets: copies under other names.

A face cut from a copy of a photo by the same recipe has the same pixels, whatever its file's name.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.store import FaceStore, Images, PairStore
from tripletlab.photos.names import first_spellings, known_by

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
    names = [first[faces.names[entry]] for entry in faces.entries]
    before: dict[bytes, int] = {}
    people: Rows = []
    for row, digest in enumerate(own):
        if digest and names[earlier := before.setdefault(digest, row)] != names[row]:
            people.append((earlier, row))
    split = faces.split[faces.entries]
    splits = sum(bool(split[one] != split[other]) for one, other in people)
    if "held_out_of" in pairs.notes:
        return SharedPictures(people, splits, [])
    learned = _known(dict(zip(faces.names, faces.display_names, strict=True)))
    tested = _known(dict(zip(pairs.names, pairs.display_names, strict=True)))
    both = [
        (before[digest], row)
        for row, digest in enumerate(_digests(pairs.images))
        if digest in before
        and not learned[faces.names[faces.entries[before[digest]]]] & tested[pairs.names[row]]
    ]
    return SharedPictures(people, splits, both)


def _known(people: dict[str, str]) -> dict[str, set[str]]:
    """By what people are known in any set; nothing for those who are only a number."""
    return {
        folder: names if people[folder] else set() for folder, names in known_by(people).items()
    }


def _digests(images: Images) -> list[bytes]:
    """A digest of every face (n, size, size); empty for a plain one."""
    return [_digest(np.asarray(image)) for image in images]


def _digest(image: NDArray[np.uint8]) -> bytes:
    if image.min() == image.max():
        return b""
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
