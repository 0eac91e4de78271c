"""`tripletlab enrol` and `tripletlab recognise`: people into the gallery, and out of photos."""

from collections.abc import Sequence
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.faces.cropping import read_photo
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery import Gallery, Shot, valid_name
from tripletlab.recognition.recogniser import Photo, Recogniser, faces_in, shot_of
from tripletlab.system.progress import say

NAMED = 3  # bad files that an error names


def enrol(name: str, photos: Sequence[Path], *, bundle: Path, gallery: Path) -> None:
    """Add the photos to a person, all of them or, where one shows no face, none."""
    opened = Bundle.open(bundle)
    name = valid_name(name)
    shots = [_shot(path, opened) for path in photos]
    people = _gallery(gallery, opened)
    people.add(name, shots)
    say(f"{name}: {people.people()[name]} photos in {gallery}")
    people.close()


def recognise(
    photos: Sequence[Path], *, bundle: Path, gallery: Path, threshold: float | None
) -> None:
    """Print a line for every face: the photo, the name or `unknown`, the squared distance to the
    nearest person, and who that is; or one for the photo: `no face`, or `unreadable`.

    InputError, after all others are done, names those that cannot be read.
    """
    if threshold is not None and not 0 <= threshold <= 4:
        raise InputError(f"--threshold {threshold}: a squared distance lies between 0 and 4")
    opened = Bundle.open(bundle)
    people = _gallery(gallery, opened)
    recogniser = Recogniser(opened, people.enrolled, threshold=threshold)
    unreadable = []
    for path in photos:
        photo = read_photo(path)
        if photo is None:
            unreadable.append(str(path))
        for line in ["unreadable"] if photo is None else _lines(photo, recogniser):
            print(f"{path}\t{line}", flush=True)
    people.close()
    if unreadable:
        more = f" and {len(unreadable) - NAMED} more" if len(unreadable) > NAMED else ""
        raise InputError(f"{', '.join(unreadable[:NAMED])}{more}: not a photo that can be read")


def _lines(photo: Photo, recogniser: Recogniser) -> list[str]:
    """What is printed of the faces in a photo."""
    lines = []
    for face in recogniser.recognise(photo, people=1):
        near = [f"{one.distance:.3f}\t{one.name}" for one in face.nearest]
        lines.append("\t".join([face.name or "unknown", *near]))
    return lines or ["no face"]


def _shot(path: Path, bundle: Bundle) -> Shot:
    photo = read_photo(path)
    if photo is None:
        raise InputError(f"{path}: not a photo that can be read; nothing was enrolled")
    found = faces_in(photo, bundle)
    if not found:
        raise InputError(f"{path}: no face found; nothing was enrolled; give another photo")
    return shot_of(photo, found[0])


def _gallery(folder: Path, bundle: Bundle) -> Gallery:
    return Gallery(folder, fingerprint=bundle.fingerprint, dim=bundle.embedder.dim)
