"""`tripletlab enrol` and `tripletlab recognise`: people into the gallery, and out of photos."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.cropping import read_photo
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery import Gallery, Shot, valid_name
from tripletlab.recognition.recogniser import Recogniser, faces_in, shot_of
from tripletlab.system.progress import say


def enrol(name: str, photos: Sequence[Path], *, bundle: Path, gallery: Path) -> None:
    """Add the photos to a person, all of them or, where one shows no face, none."""
    known = Bundle.open(bundle)
    name = valid_name(name)
    shots = [_shot(path, known) for path in photos]
    kept = _gallery(gallery, known)
    kept.add(name, shots)
    say(f"{name}: {kept.people()[name]} photos in {gallery}")
    kept.close()


def recognise(
    photos: Sequence[Path], *, bundle: Path, gallery: Path, threshold: float | None
) -> None:
    """Print a line for every photo: the photo, the name or `unknown` or `no face`, the squared
    distance to the nearest person, and who that is."""
    if threshold is not None and not 0 <= threshold <= 4:
        raise InputError(f"--threshold {threshold}: a squared distance lies between 0 and 4")
    known = Bundle.open(bundle)
    read = [(path, _read(path)) for path in photos]
    kept = _gallery(gallery, known)
    recogniser = Recogniser(known, kept.enrolled, threshold=threshold)
    for path, photo in read:
        people = recogniser.recognise(photo, people=1)
        for one in people:
            near = [f"{one.nearest[0].distance:.3f}", one.nearest[0].name] if one.nearest else []
            print("\t".join([str(path), one.name or "unknown", *near]))
        if not people:
            print(f"{path}\tno face")
    kept.close()


def _shot(path: Path, bundle: Bundle) -> Shot:
    photo = _read(path)
    found = faces_in(photo, bundle)
    if not found:
        raise InputError(f"{path}: no face found; nothing was enrolled; give another photo")
    return shot_of(photo, found[0])


def _read(path: Path) -> NDArray[np.uint8]:
    photo = read_photo(path)
    if photo is None:
        raise InputError(f"{path}: not a photo that can be read")
    return photo


def _gallery(folder: Path, bundle: Bundle) -> Gallery:
    return Gallery(folder, fingerprint=bundle.fingerprint, dim=bundle.embedder.dim)
