"""Faces in a photo, verified 1:1 and identified 1:N."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.cropping import Photo, centre, crop, decode_photo, grown, in_grey
from tripletlab.faces.detection import Box
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery import Shot
from tripletlab.recognition.reembedding import KeptPhoto
from tripletlab.recognition.search import Enrolled, Match, is_match, is_unit

PICTURE = 512  # pixels at most along the side of the picture kept of an enrolled face
AROUND = 0.4  # border kept around the face, as a share of its side: YuNet's landmarks need it
AROUND_BEFORE = 0.25  # in galleries of format 1, whose pictures are 160 pixels a side


class EmbeddedFace(NamedTuple):
    """A face in a photo: its box, the prepared face (size, size), and its embedding (dim,).

    The embedding is NaN where the network returns no unit vector.
    """

    box: Box
    face: NDArray[np.uint8]
    embedding: NDArray[np.float32]


class Recognised(NamedTuple):
    """A face, the nearest people in ascending order, and the name of the person, or None.

    `nearest` is empty for an empty gallery, or where the face has no embedding.
    """

    found: EmbeddedFace
    nearest: list[Match]
    name: str | None


class Verified(NamedTuple):
    """The squared distance of two faces, NaN if one has no embedding; whether they are the same."""

    distance: float
    same: bool


def faces_in(photo: Photo, bundle: Bundle) -> list[EmbeddedFace]:
    """All faces in a photo, the most prominent first.

    They are those of the training to the bit where a file is decoded as `bundle.recipe.colour`
    says: a JPEG file that is decoded in colour first differs by a grey level here and there.
    """
    photo = as_wanted(photo, bundle)
    return embedded(photo, bundle.recipe.detector(photo), bundle)


def as_wanted(photo: Photo, bundle: Bundle) -> Photo:
    """A photo as the bundle's detector is given it: in colour, if it wants that, or grey."""
    return photo if bundle.recipe.colour else in_grey(photo)


def embedded(photo: Photo, boxes: list[Box], bundle: Bundle) -> list[EmbeddedFace]:
    """The faces in these boxes of a photo, prepared as for training, with their embeddings."""
    size = bundle.recipe.size
    faces = [bundle.recipe.extract(photo, box) for box in boxes]
    embeddings = bundle.embedder(np.array(faces, np.uint8).reshape(-1, size, size))
    return [EmbeddedFace(*one) for one in zip(boxes, faces, embeddings, strict=True)]


def shot_of(photo: Photo, found: EmbeddedFace, bundle: Bundle) -> Shot:
    """A face as the gallery keeps it: with a border, and in colour where the photo is.

    It is a PNG file of the photo's own pixels, unless they are more than PICTURE along a side, so
    that another network can embed the face anew.
    """
    wide = grown(found.box, border=AROUND)
    size = min(wide.side, PICTURE)
    picture = crop(photo, wide, size=size)
    side = max(1, round(found.box.side * size / wide.side))
    return Shot(
        found.embedding, bytes(cv2.imencode(".png", picture)[1]), side, detector=bundle.detector
    )


def embedded_anew(kept: KeptPhoto, bundle: Bundle) -> NDArray[np.float32] | None:
    """The embedding (dim,) of the face in a gallery's picture; None where there is no face.

    Where the bundle has the detector that found the face, its box is known; otherwise the detector
    searches the picture. InputError where the bundle's crop is wider than the picture.
    """
    around = AROUND_BEFORE if kept.side is None else AROUND
    if bundle.recipe.border > around:
        raise InputError(
            f"{bundle.folder}: its faces have a border of {bundle.recipe.border:g} of their side,"
            f" and this gallery keeps {around:g} around a face: enrol the people into another"
            " --gallery"
        )
    known = isinstance(kept.picture, bytes)  # the gallery may come from somebody else
    picture = decode_photo(kept.picture, colour=True) if known else None
    if picture is None:
        return None
    picture, size = as_wanted(picture, bundle), min(picture.shape[:2])
    side = kept.side if isinstance(kept.side, int) else size / (1 + 2 * around)
    middle = centre(picture, fraction=min(1.0, side / size))
    boxes = [middle]
    if kept.detector != bundle.detector:
        boxes = [box for box in bundle.recipe.detector(picture) if _same_place(box, middle)]
    faces = embedded(picture, boxes[:1], bundle)
    return next((face.embedding for face in faces if is_unit(face.embedding)), None)


def _same_place(box: Box, face: Box) -> bool:
    """Whether the middle of a box lies within a face."""
    return all(
        start <= corner + box.side / 2 <= start + face.side
        for corner, start in ((box.x, face.x), (box.y, face.y))
    )


def verify(first: EmbeddedFace, second: EmbeddedFace, *, threshold: float) -> Verified:
    """1:1: whether two faces are one person; never where one has no embedding."""
    if not (is_unit(first.embedding) and is_unit(second.embedding)):
        return Verified(float("nan"), same=False)
    difference = first.embedding.astype(np.float64) - second.embedding
    distance = float(difference @ difference)
    return Verified(distance, is_match(distance, threshold))


def identify(
    found: EmbeddedFace, enrolled: Enrolled, *, threshold: float, people: int
) -> Recognised:
    """1:N: the nearest of the enrolled people, and a name if the first is within the threshold."""
    nearest = enrolled.nearest(found.embedding, people=people)
    same = bool(nearest) and is_match(nearest[0].distance, threshold)
    return Recognised(found, nearest, nearest[0].name if same else None)


class Recogniser:
    """A bundle, enrolled people and a threshold, the card's by default."""

    def __init__(
        self, bundle: Bundle, enrolled: Enrolled, *, threshold: float | None = None
    ) -> None:
        self.bundle, self.enrolled = bundle, enrolled
        self.threshold = bundle.card.threshold if threshold is None else threshold

    def recognise(self, photo: Photo) -> list[Recognised]:
        """The faces in a photo, each with the nearest person alone."""
        return [
            identify(found, self.enrolled, threshold=self.threshold, people=1)
            for found in faces_in(photo, self.bundle)
        ]
