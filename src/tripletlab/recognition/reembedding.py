"""A gallery of another network, embedded anew from the pictures that it keeps."""

import itertools
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.recognition.gallery_file import Maker, maker_of, transaction, upgrade
from tripletlab.system.locks import writing_into
from tripletlab.system.progress import bar, say

PHOTOS = (
    "SELECT photo.id, name FROM photo JOIN person ON photo.person = person.id"
    " ORDER BY name, photo.id"
)
LONG = 100  # photos; so many have a bar
NAMED = 10  # people with unused photos who have a line of their own


class KeptPhoto(NamedTuple):
    """A photo as a gallery keeps it: the bytes of an image file, with the face in its middle.

    `side` is that of the face in pixels, `detector` the Bundle.detector that found it; both are
    None where the gallery does not know them.
    """

    picture: bytes
    side: int | None
    detector: str | None


Embed = Callable[[KeptPhoto], NDArray[np.float32] | None]  # unit (dim,); None without a face


def embed_anew(base: sqlite3.Connection, folder: Path, maker: Maker, embed: Embed) -> None:
    """Embed all photos by another maker's network, in one transaction; say so.

    Nothing is done where the gallery is this maker's already. A photo without a face stays, and is
    not used until a network finds one. InputError, and nothing is changed, where no photo has one.
    """
    with writing_into(folder):
        if maker_of(base) in (maker, None):
            return
        with transaction(base):
            if maker_of(base) == maker:  # where the folder cannot be locked
                return
            upgrade(base)
            photos: list[tuple[int, str]] = base.execute(PHOTOS).fetchall()
            embeddings = dict(_embedded(base, photos, embed))
            if photos and not any(embeddings.values()):
                raise InputError(
                    f"{folder}: in none of its {len(photos)} photos this bundle finds a face, and"
                    " it was made with another one; give another --gallery, or that bundle"
                )
            rows = [(embedding, photo) for photo, embedding in embeddings.items()]
            base.executemany("UPDATE photo SET embedding = ? WHERE id = ?", rows)
            base.execute("UPDATE made_by SET fingerprint = ?, dim = ?", maker)
    if photos:
        people = _count(len({name for _, name in photos}), "person", "people")
        say(
            f"{folder}: this gallery was made by another network and is embedded anew:"
            f" {_count(len(photos), 'photo', 'photos')} of {people}"
        )
        _name_unused(photos, embeddings)


def _embedded(
    base: sqlite3.Connection, photos: list[tuple[int, str]], embed: Embed
) -> Iterator[tuple[int, bytes]]:
    """Each photo's number and the bytes of its embedding, which are none without a face."""
    title = f"Embedding {len(photos):,} photos anew"
    with bar(title, total=len(photos)) if len(photos) >= LONG else nullcontext() as advance:
        for number, _ in photos:
            query = "SELECT picture, side, detector FROM photo WHERE id = ?"
            embedding = embed(KeptPhoto(*base.execute(query, (number,)).fetchone()))
            yield number, b"" if embedding is None else embedding.astype(np.float32).tobytes()
            if advance:
                advance(1)


def _name_unused(photos: list[tuple[int, str]], embeddings: Mapping[int, bytes]) -> None:
    """Say whose photos have no face for this network, and who cannot be recognised therefore."""
    lines = []
    for name, own in itertools.groupby(photos, key=itemgetter(1)):
        used = [bool(embeddings[number]) for number, _ in own]
        if not any(used):
            found = "no face is found in " + _count(len(used), "photo", "photos")
            lines.append(f"{name} cannot be recognised: {found}; enrol new ones")
        elif not all(used):
            places = ", ".join(str(place) for place, one in enumerate(used, 1) if not one)
            lines.append(f"{name}: no face is found in photo {places} of {len(used)}")
    for line in lines[:NAMED]:
        say(f"warning: {line}")
    if lines:
        more = f"{len(lines) - NAMED:,} more people have such photos; " * (len(lines) > NAMED)
        say(f"{more}photos without a face are kept unused; `tripletlab gallery list` counts them")


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"
