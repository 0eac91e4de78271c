"""Photos of people: verified 1:1, enrolled, recognised 1:N."""

from collections.abc import Sequence
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.faces.cropping import Photo, read_photo
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery import Gallery, valid_name
from tripletlab.recognition.recogniser import (
    EmbeddedFace,
    Recogniser,
    Verified,
    faces_in,
    shot_of,
)
from tripletlab.recognition.recogniser import verify as compare
from tripletlab.system.progress import say

NAMED = 3  # unreadable files that an error names


def enrol(name: str, photos: Sequence[Path], *, bundle: Path, gallery: Path) -> None:
    """Enrol all photos of a person, or none where one shows no face (InputError)."""
    opened = Bundle.open(bundle)
    name = valid_name(name)
    shots = [shot_of(*_face(path, opened)) for path in photos]
    people = _gallery(gallery, opened)
    people.add(name, shots)
    say(f"{name}: {people.people()[name]} photos in {gallery}")
    people.close()


def verify(
    first: Path | str,
    second: Path | str,
    *,
    bundle: Bundle | Path | str = "bundle",
    threshold: float | None = None,
) -> Verified:
    """Whether two photos show one person, by the most prominent face of each.

    `bundle` is a folder that `tripletlab export` wrote, or the bundle that `load` opened;
    `threshold` a squared distance, 0 to 4, the bundle's own by default. InputError where a photo
    cannot be read or shows no face.
    """
    opened = bundle if isinstance(bundle, Bundle) else Bundle.open(Path(bundle))
    faces = [_face(Path(path), opened)[1] for path in (first, second)]
    return compare(*faces, threshold=_threshold(threshold, opened))


def print_verified(first: Path, second: Path, *, bundle: Path, threshold: float | None) -> None:
    """Print `same` or `different`, the squared distance, the threshold, and the share of strangers
    that it accepts."""
    opened = Bundle.open(bundle)
    used = _threshold(threshold, opened)
    found = verify(first, second, bundle=opened, threshold=used)
    word = "same" if found.same else "different"
    far = opened.card.calibration.far_at(used)
    print(f"{word}\tdistance {found.distance:.3f}\tthreshold {used:.3f}\tFAR {far:.2%}")


def recognise(
    photos: Sequence[Path], *, bundle: Path, gallery: Path, threshold: float | None
) -> None:
    """Print a line for every face: the photo, the name or `unknown`, the squared distance to the
    nearest person, and that person's name; or one line for the photo: `no face` or `unreadable`.

    InputError, after all photos are done, names the unreadable ones.
    """
    opened = Bundle.open(bundle)
    used = _threshold(threshold, opened)
    people = _gallery(gallery, opened)
    recogniser = Recogniser(opened, people.enrolled, threshold=used)
    unreadable = []
    for path in photos:
        photo = read_photo(path, colour=True)
        if photo is None:
            unreadable.append(str(path))
        for line in ["unreadable"] if photo is None else _lines(photo, recogniser):
            print(f"{path}\t{line}", flush=True)
    people.close()
    if unreadable:
        more = f" and {len(unreadable) - NAMED} more" if len(unreadable) > NAMED else ""
        raise InputError(f"{', '.join(unreadable[:NAMED])}{more}: not a photo that can be read")


def _threshold(given: float | None, bundle: Bundle) -> float:
    """The given threshold or the bundle's own; InputError where it is no squared distance."""
    if given is not None and not 0 <= given <= 4:
        raise InputError(f"threshold {given}: a squared distance lies between 0 and 4")
    return bundle.card.threshold if given is None else given


def _lines(photo: Photo, recogniser: Recogniser) -> list[str]:
    """The lines printed for a photo."""
    lines = []
    for face in recogniser.recognise(photo, people=1):
        nearest = [f"{one.distance:.3f}\t{one.name}" for one in face.nearest]
        lines.append("\t".join([face.name or "unknown", *nearest]))
    return lines or ["no face"]


def _face(path: Path, bundle: Bundle) -> tuple[Photo, EmbeddedFace]:
    """A photo and the most prominent face in it; InputError where there is none."""
    photo = read_photo(path, colour=True)
    if photo is None:
        raise InputError(f"{path}: not a photo that can be read")
    found = faces_in(photo, bundle)
    if not found:
        raise InputError(f"{path}: no face found; give another photo")
    return photo, found[0]


def _gallery(folder: Path, bundle: Bundle) -> Gallery:
    return Gallery(folder, fingerprint=bundle.fingerprint, dim=bundle.embedder.dim)
