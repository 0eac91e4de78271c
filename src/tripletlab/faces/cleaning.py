"""What makes a photo not worth training on: a measure each, and a threshold (paper, III.A).

The measures are pure functions of a photo (height, width) grey, the box of its face, or the face
as networks are given it (size, size). Photos of the verification set are never cleaned away.
"""

import functools
from dataclasses import dataclass
from typing import Annotated

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tripletlab.faces.cropping import Grey, crop, grown
from tripletlab.faces.detection import SEARCHING, Box
from tripletlab.faces.overlay_text import letters_in_line

SMALL = "face too small"
BLURRED = "blurred"
EMPTY = "too many empty pixels"
TEXT = "text in the photo"
NO_SECOND = "no face for the second cascade"
REPEATED = "the same picture of the person again"
SECOND_CASCADE = "haarcascade_frontalface_alt2.xml"
HASH_SIDE = 16  # of a perceptual hash, in bits

Hash = NDArray[np.bool_]  # (256,)


@dataclass(frozen=True)
class Cleaning:
    """The thresholds; None leaves a measure out."""

    min_side: Annotated[int, Field(ge=1)] | None  # of the found box, pixels
    min_sharpness: Annotated[float, Field(ge=0)] | None
    max_empty: Annotated[float, Field(ge=0, le=1)] | None
    max_letters: Annotated[int, Field(ge=0)] | None  # in one line
    min_second: Annotated[int, Field(ge=0)] | None  # detections of the second cascade
    max_same_bits: Annotated[int, Field(ge=0, le=255)] | None  # that differ in the same picture

    def problem(self, photo: Grey, box: Box, face: Grey, *, found: bool) -> str | None:
        """Why this face is not worth training on, the cheapest reason first; None if it is.

        `found` is False for a photo that is a face already: the second cascade is not tried
        on it.
        """
        if self.min_side is not None and box.side < self.min_side:
            return SMALL
        if self.min_sharpness is not None and sharpness(face) < self.min_sharpness:
            return BLURRED
        if self.max_empty is not None and empty(photo, box) > self.max_empty:
            return EMPTY
        if self.max_letters is not None and letters_in_line(photo) > self.max_letters:
            return TEXT
        if (
            found
            and self.min_second is not None
            and second_detections(photo, box) < self.min_second
        ):
            return NO_SECOND
        return None

    def hash(self, photo: Grey) -> Hash | None:
        """What the same picture is known by, where that matters."""
        return None if self.max_same_bits is None else perceptual_hash(photo)

    def repeats(self, own: Hash, before: list[Hash]) -> bool:
        """The picture is one of those before, by their hashes."""
        if self.max_same_bits is None or not before:
            return False
        return int((own != np.stack(before)).sum(axis=1).min()) <= self.max_same_bits


def sharpness(face: Grey) -> float:
    """The finest structure's strength relative to the coarser one's; falls towards 0 with blur.

    Contrast and brightness have no part in it; 0 for a plain face.
    """
    light = face.astype(np.float32)
    side = face.shape[0] / 64
    fine, middle, coarse = (cv2.GaussianBlur(light, (0, 0), s * side) for s in (0.6, 1.2, 2.4))
    return float(np.std(fine - middle) / (np.std(middle - coarse) + 0.5))


def empty(photo: Grey, box: Box) -> float:
    """The part of the box, 0 to 1, that is beyond the photo, or in a plain area at its edge."""
    size = 3, 3
    reach = cv2.dilate(photo, np.ones(size)), cv2.erode(photo, np.ones(size))
    plain = (cv2.subtract(*reach) <= 3).astype(np.uint8)
    _, areas = cv2.connectedComponents(plain, connectivity=4)
    edges = np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]])
    blank = np.isin(areas, edges[edges > 0])
    height, width = photo.shape
    left, top = max(0, box.x), max(0, box.y)
    inside = blank[top : min(height, box.y + box.side), left : min(width, box.x + box.side)]
    return 1 - float((~inside).sum()) / box.side**2


def second_detections(photo: Grey, box: Box) -> int:
    """How many detections of another frontal cascade hold the middle of the box, at most.

    Overlapping detections count as one face, whose number of them is taken; 0 where there is none.
    """
    side = 96
    around = crop(photo, grown(box, border=0.25), size=side)
    least = round(side / 1.5 * 0.6)
    with SEARCHING:
        found, counts = _second().detectMultiScale2(around, 1.08, 1, minSize=(least, least))
    middle = side / 2
    holds = [
        count
        for (x, y, w, h), count in zip(found, counts, strict=True)
        if x < middle < x + w and y < middle < y + h
    ]
    return int(max(holds, default=0))


def perceptual_hash(photo: Grey) -> Hash:
    """256 bits that survive scaling, compression and light: signs of the lowest frequencies.

    They are of the photo, not of the face: the detector's box is never quite the same again. The
    usual 64 bits take two portraits of a person for one: all portraits are alike so coarsely.
    """
    small = cv2.resize(photo, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[: HASH_SIDE + 1, : HASH_SIDE + 1].ravel()[1 : HASH_SIDE**2 + 1]
    return np.asarray(low > np.median(low))


@functools.cache
def _second() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(cv2.data.haarcascades + SECOND_CASCADE)
