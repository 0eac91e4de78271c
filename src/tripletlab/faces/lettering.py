"""Text laid over a photo: strokes of one grey, of one height, in a line."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.cropping import Grey

LEAST_HEIGHT = 5  # pixels of a letter that can still be told from grain
LARGEST = 0.22  # of a letter, of the photo's height
CONTRAST = 40  # of a stroke against what is around it, in grey levels


class _Blob(NamedTuple):
    left: float
    right: float
    middle: float  # down
    height: float
    grey: float


def letters_in_line(photo: Grey) -> int:
    """The most letters that stand in one line of text in the photo (height, width); 0 for none.

    Bright and dark letters are looked for apart. What counts as a line: blobs of like height and
    grey, side by side at even height, with gaps of less than a letter's height between them.
    """
    return max(_longest(_blobs(photo, bright)) for bright in (True, False))


def _blobs(photo: Grey, bright: bool) -> list[_Blob]:
    """What stands out from its surroundings and could be a letter."""
    height = photo.shape[0]
    largest = LARGEST * height
    reach = 2 * round(max(3.0, 0.04 * height)) + 1  # wider than a stroke
    shape = cv2.MORPH_TOPHAT if bright else cv2.MORPH_BLACKHAT
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach))
    stands_out = cv2.morphologyEx(photo, shape, kernel)
    _, mask = cv2.threshold(stands_out, CONTRAST, 255, cv2.THRESH_BINARY)
    count, areas, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    greys = _mean_greys(photo, areas, count)
    return [
        _Blob(x, x + w, y + h / 2, h, grey)
        for (x, y, w, h, area), grey in zip(boxes[1:].tolist(), greys[1:], strict=True)
        if LEAST_HEIGHT <= h <= largest and w <= 1.8 * h and 0.15 <= area / (w * h) <= 0.95
    ]


def _mean_greys(photo: Grey, areas: NDArray[np.int32], count: int) -> list[float]:
    sums = np.bincount(areas.ravel(), photo.ravel(), count)
    sizes = np.bincount(areas.ravel(), minlength=count)
    return list((sums / np.maximum(sizes, 1)).tolist())


def _longest(blobs: list[_Blob]) -> int:
    """The most blobs of one line, found by walking from each to the next at its right."""
    ordered = sorted(blobs)
    length = [1] * len(ordered)
    for place, one in enumerate(ordered):
        for before in range(place):
            if _neighbours(ordered[before], one):
                length[place] = max(length[place], length[before] + 1)
    return max(length, default=0)


def _neighbours(one: _Blob, other: _Blob) -> bool:
    """The other could be the next letter of the same line."""
    high = max(one.height, other.height)
    return (
        -0.1 * high <= other.left - one.right <= 0.8 * high
        and abs(one.middle - other.middle) <= 0.25 * high
        and min(one.height, other.height) >= 0.6 * high
        and abs(one.grey - other.grey) <= 25
    )
