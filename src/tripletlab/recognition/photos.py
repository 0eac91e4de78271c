"""Photos of people: verified 1:1, and enrolled."""

import contextlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery import Gallery
from tripletlab.recognition.gallery_file import origin
from tripletlab.recognition.names import valid_name
from tripletlab.recognition.photo_files import photo_files, read
from tripletlab.recognition.recogniser import (
    EmbeddedFace,
    Verified,
    embedded_anew,
    faces_in,
    shot_of,
)
from tripletlab.recognition.recogniser import verify as compare
from tripletlab.system.progress import say


def enrol(name: str, photos: Sequence[Path], *, bundle: Path, gallery: Path) -> None:
    """Enrol all photos of a person, or none where one shows no face or several (InputError).

    A photo that is given twice, or that the gallery has of this person, is enrolled once: each more
    would count as another chance for strangers.
    """
    opened = Bundle.open(bundle)
    name = valid_name(name)
    shots = [
        shot_of(read(path, colour=True), _only_face(path, opened), opened)
        for path, _ in photo_files(photos)
    ]
    with contextlib.closing(opened_gallery(gallery, opened)) as people:
        known = people.pictures(name)
        new = {shot.picture: shot for shot in shots if shot.picture not in known}
        people.add(name, list(new.values()))
        count, again = people.people()[name], len(shots) - len(new)
        left_out = f" (repeated ones left out: {again})" if again else ""
        say(f"{name}: {count} {'photo' if count == 1 else 'photos'} in {gallery}{left_out}")


def opened_gallery(folder: Path, bundle: Bundle, *, create: bool = True) -> Gallery:
    """The gallery of this bundle's embeddings, created if it is not there and `create`.

    One of another network is embedded anew from the pictures that it keeps. InputError where it is
    damaged or not there, or where this bundle finds no face in any of its pictures.
    """
    if not create:
        origin(folder)
    return Gallery(
        folder,
        fingerprint=bundle.fingerprint,
        dim=bundle.embedder.dim,
        embed=partial(embedded_anew, bundle=bundle),
    )


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
    faces = [_faces(Path(path), opened)[0] for path in (first, second)]
    return compare(*faces, threshold=used_threshold(threshold, opened))


def print_verified(
    first: Path, second: Path, *, bundle: Path, threshold: float | None, as_json: bool
) -> None:
    """Print `same` or `different`, the squared distance, the threshold, and the share of strangers
    that it accepts, or the bound of it; as a JSON object the same by their names."""
    opened = Bundle.open(bundle)
    used = used_threshold(threshold, opened)
    found = verify(first, second, bundle=opened, threshold=used)
    curve, people = opened.card.calibration, opened.card.calibrated_on
    far, most = curve.far_at(used), curve.most_far_at(used)
    if as_json:
        distance = found.distance if found.distance >= 0 else None  # JSON has no NaN
        rates = {"far": far, "far_less_than": most, "calibrated_on": people}
        print(json.dumps(found._asdict() | {"distance": distance, "threshold": used} | rates))
        return
    word = "same" if found.same else "different"
    rate = f"FAR {far:.2%}" if most is None else f"FAR less than {most:.2%}"
    more = " (more in use)" if people == "validation" else ""
    print(f"{word}\tdistance {found.distance:.3f}\tthreshold {used:.3f}\t{rate}{more}")


def used_threshold(given: float | None, bundle: Bundle) -> float:
    """The given threshold or the bundle's own; InputError where it is no squared distance."""
    if given is not None and not 0 <= given <= 4:
        raise InputError(f"threshold {given}: a squared distance lies between 0 and 4")
    return bundle.card.threshold if given is None else given


def _only_face(path: Path, bundle: Bundle) -> EmbeddedFace:
    """The face in a photo; InputError where there is none, or more than one."""
    found = _faces(path, bundle)
    if len(found) > 1:
        raise InputError(f"{path}: {len(found)} faces found; give a photo of one person alone")
    return found[0]


def _faces(path: Path, bundle: Bundle) -> list[EmbeddedFace]:
    """The faces in a photo, the most prominent first; InputError where there is none."""
    found = faces_in(read(path, colour=bundle.recipe.colour), bundle)
    if not found:
        raise InputError(f"{path}: no face found; give another photo")
    return found
