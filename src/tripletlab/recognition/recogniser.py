"""Faces in a photo, verified 1:1 and identified 1:N."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.cropping import Photo, crop, grown, in_grey
from tripletlab.faces.detection import Box
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery import Shot
from tripletlab.recognition.search import Enrolled, Match, is_match, is_unit

PICTURE = 160  # pixels along the side of the picture kept of an enrolled face
AROUND = 0.25  # border kept around the face, as a share of its side


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
    """All faces in a photo, the most prominent first."""
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


def shot_of(photo: Photo, found: EmbeddedFace) -> Shot:
    """A face as the gallery keeps it: a border around it, and in colour where the photo is."""
    picture = crop(photo, grown(found.box, border=AROUND), size=PICTURE)
    return Shot(found.embedding, bytes(cv2.imencode(".jpg", picture)[1]))


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

    def recognise(self, photo: Photo, *, people: int = 5) -> list[Recognised]:
        """The faces in a photo, each with up to `people` nearest people."""
        return [
            identify(found, self.enrolled, threshold=self.threshold, people=people)
            for found in faces_in(photo, self.bundle)
        ]
