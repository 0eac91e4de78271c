"""Text laid over a photo: strokes of one grey, of one height, in a line."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.cropping import Grey

READ_AT = 256  # pixels of the photo's height, at least: small letters would grow together
LEAST_HEIGHT = 0.03  # of a letter that still differs from grain, of the photo's height
LARGEST_HEIGHT = 0.22
STROKE = 0.04  # the widest
CONTRAST = 90  # of a stroke against what is around it, in grey levels


class _Blob(NamedTuple):
    left: float
    right: float
    middle: float  # down
    height: float
    grey: float
    letters: int  # that have grown together


def letters_in_line(photo: Grey) -> int:
    """The most letters that stand in one line of text in the photo (height, width); 0 for none.

    Bright and dark letters are searched separately. What counts as a line: blobs of like height and
    grey, side by side at even height, with gaps of little more than a letter's height between them.
    """
    scale = max(1.0, READ_AT / photo.shape[0])
    if scale > 1:
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return max(_longest(_blobs(photo, bright)) for bright in (True, False))


def _blobs(photo: Grey, bright: bool) -> list[_Blob]:
    """What stands out from its surroundings and could be a letter or some."""
    tall = photo.shape[0]
    reach = 2 * round(STROKE * tall) + 1
    shape = cv2.MORPH_TOPHAT if bright else cv2.MORPH_BLACKHAT
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach))
    stands_out = cv2.morphologyEx(photo, shape, kernel)
    _, mask = cv2.threshold(stands_out, CONTRAST, 1, cv2.THRESH_BINARY)
    count, areas, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    greys = _mean_greys(photo, areas, count)
    blobs = []
    for number, (x, y, w, h, area) in enumerate(boxes.tolist()):
        fits = LEAST_HEIGHT * tall <= h <= LARGEST_HEIGHT * tall and area <= 0.9 * w * h
        if number and fits:
            own = areas[y : y + h, x : x + w] == number
            letters = _letters(own)
            if w <= 1.6 * h * letters:
                blobs.append(_Blob(x, x + w, y + h / 2, h, greys[number], letters))
    return blobs


def _letters(own: NDArray[np.bool_]) -> int:
    """How many letters a blob (height, width) is: upright strokes, of which most have about two."""
    starts = own[:, 1:] & ~own[:, :-1]
    strokes = float((starts.sum(axis=1) + own[:, 0]).mean())
    return max(1, round(strokes / 1.8))


def _mean_greys(photo: Grey, areas: NDArray[np.int32], count: int) -> list[float]:
    sums = np.bincount(areas.ravel(), photo.ravel(), count)
    sizes = np.bincount(areas.ravel(), minlength=count)
    return list((sums / np.maximum(sizes, 1)).tolist())


def _longest(blobs: list[_Blob]) -> int:
    """The most letters of one line, found by walking from each blob to the next at its right."""
    ordered = sorted(blobs)
    letters = [blob.letters for blob in ordered]
    for place, one in enumerate(ordered):
        for before in range(place):
            if _neighbours(ordered[before], one):
                letters[place] = max(letters[place], letters[before] + one.letters)
    return max(letters, default=0)


def _neighbours(one: _Blob, other: _Blob) -> bool:
    """The other could be what follows in the same line."""
    high = max(one.height, other.height)
    return (
        -0.2 * high <= other.left - one.right <= 1.2 * high
        and abs(one.middle - other.middle) <= 0.35 * high
        and min(one.height, other.height) >= 0.5 * high
        and abs(one.grey - other.grey) <= 60
    )
