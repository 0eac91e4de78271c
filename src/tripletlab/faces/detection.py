"""Where the face is in a photo."""

import functools
from typing import Annotated, NamedTuple

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

CASCADE = "haarcascade_frontalface_default.xml"


class Box(NamedTuple):
    """A square in pixels; it may reach beyond the photo."""

    x: int
    y: int
    side: int


def haar(
    photo: NDArray[np.uint8],
    *,
    scale_factor: Annotated[float, Field(gt=1, le=2)],
    min_neighbors: Annotated[int, Field(ge=0, le=50)],
    min_size: Annotated[int, Field(ge=20)],
) -> Box | None:
    """OpenCV's frontal face cascade (paper, section III.A), or None where it finds none.

    Of several faces it takes the one that a person would: the largest by its side, minus half its
    centre's distance from the photo's. `photo` (height, width) grey.
    """
    found = _cascade().detectMultiScale(
        photo, scale_factor, min_neighbors, minSize=(min_size, min_size)
    )
    height, width = photo.shape

    def prominence(box: Box) -> float:
        right, down = box.x + box.side / 2 - width / 2, box.y + box.side / 2 - height / 2
        return box.side - 0.5 * float(np.hypot(right, down))

    return max((Box(int(x), int(y), int(w)) for x, y, w, _ in found), key=prominence, default=None)


@functools.cache
def _cascade() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(cv2.data.haarcascades + CASCADE)
