"""Where the faces are in a photo, most prominent first.

Of several faces the first is the one that a person would take: its side, minus half its centre's
distance from the photo's, is the largest.
"""

import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tripletlab.errors import InputError
from tripletlab.system.paths import expanded

CASCADE = "haarcascade_frontalface_default.xml"
LONGEST = 640  # pixels of a photo's longer side in YuNet's last search
SAME = 0.3  # overlap of two rectangles, of their union, from which they are one face (YuNet's own)
AROUND = 0.5  # of a cropped photo's shorter side: how far its edge is repeated for the search
SEARCHING = threading.Lock()  # threads share OpenCV's detectors, which search one photo at a time


class Box(NamedTuple):
    """A square in pixels; it may reach beyond the photo."""

    x: int
    y: int
    side: int


# Photo (height, width) to boxes, best face first. A detector whose class has `colour = True` gets
# photos in colour, (height, width, 3) blue green red, where they have it.
Detector = Callable[[NDArray[np.uint8]], list[Box]]


def haar(
    photo: NDArray[np.uint8],
    *,
    scale_factor: Annotated[float, Field(ge=1.01, le=2)],  # close to 1 the search takes for ever
    min_neighbors: Annotated[int, Field(ge=0, le=50)],
    min_size: Annotated[int, Field(ge=20)],
) -> list[Box]:
    """OpenCV's frontal face cascade (paper, section III.A). `photo` (height, width) grey."""
    least = (min_size, min_size)
    with SEARCHING:
        found = _cascade().detectMultiScale(photo, scale_factor, min_neighbors, minSize=least)
    boxes = (Box(int(x), int(y), int(side)) for x, y, side, _ in found)
    return by_prominence(boxes, photo.shape)


def whole(photo: NDArray[np.uint8]) -> list[Box]:
    """The largest square in the middle, for photos (height, width) that are faces already."""
    height, width = photo.shape[:2]
    side = min(height, width)
    return [Box((width - side) // 2, (height - side) // 2, side)]


def found_in_cropped(photo: NDArray[np.uint8], detector: Detector) -> list[Box]:
    """The faces in a photo that a face fills; boxes may reach beyond it.

    The photo's edge is repeated around it for the search: detectors miss a face without anything
    around it. `whole` has its square without that.
    """
    if getattr(detector, "func", detector) is whole:  # a config's functions are partial
        return detector(photo)
    more = round(AROUND * min(photo.shape[:2]))
    wide = cv2.copyMakeBorder(photo, more, more, more, more, cv2.BORDER_REPLICATE)
    return [Box(x - more, y - more, side) for x, y, side in detector(np.asarray(wide, np.uint8))]


@dataclass(frozen=True)
class YuNet:
    """OpenCV's YuNet, a small network that finds turned faces too; its file is yunet_file.py's.

    Its upright rectangles become squares of their longer side about the same centre. It misses
    faces of more than some 400 pixels, so photos of more than 640 are searched at a half of their
    size, a quarter and so on. InputError when the file is missing.
    """

    colour: ClassVar[bool] = True
    model: str  # the path of an .onnx file
    score_threshold: Annotated[float, Field(ge=0, le=1)]  # a less certain face is none

    def __post_init__(self) -> None:
        if not expanded(self.model).is_file():
            raise InputError(
                f"faces.detector.model={self.model} is not a file; YuNet needs its network:"
                " `tripletlab fetch yunet` downloads it, or give the path of yours, here or in the"
                " variable TRIPLETLAB_YUNET"
            )

    def __call__(self, photo: NDArray[np.uint8]) -> list[Box]:
        """The faces in a photo, (height, width) grey or (height, width, 3) blue green red."""
        rectangles = self.found(photo)[:, :4].tolist()
        return by_prominence((_square(*rectangle) for rectangle in rectangles), photo.shape[:2])

    def found(self, photo: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(faces, 15): rectangle, five landmarks, score, as OpenCV gives them, most certain first.

        The landmarks are the eyes, the tip of the nose and the corners of the mouth, first that at
        the photo's left.
        """
        found = []
        for scaled in _scales(photo):
            rows = self._search(scaled)
            rows[:, :14] *= photo.shape[0] / scaled.shape[0]
            found.append(rows)
        rows = np.concatenate(found)
        rows = rows[np.argsort(-rows[:, 14], kind="stable")]
        if len(found) > 1 and len(rows):
            boxes, scores = rows[:, :4].tolist(), rows[:, 14].tolist()
            rows = rows[np.asarray(cv2.dnn.NMSBoxes(boxes, scores, 0.0, SAME), np.intp)]
        return rows

    def _search(self, photo: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The rows of one search, at the photo's own size."""
        height, width = photo.shape[:2]
        colour = photo if photo.ndim == 3 else cv2.cvtColor(photo, cv2.COLOR_GRAY2BGR)
        with SEARCHING:
            network = _yunet(str(expanded(self.model)), self.score_threshold)
            network.setInputSize((width, height))
            _, faces = network.detect(colour)
        rows = np.zeros((0, 15), np.float32) if faces is None else np.asarray(faces, np.float32)
        # In a photo a few pixels wide the network's rectangles are infinite, or next to it.
        return np.asarray(rows[(np.abs(rows) <= 2 * max(height, width)).all(axis=1)], np.float32)


def by_prominence(boxes: Iterable[Box], shape: tuple[int, ...]) -> list[Box]:
    """The boxes in a photo of this shape (height, width), most prominent first."""
    height, width = shape

    def prominence(box: Box) -> float:
        right, down = box.x + box.side / 2 - width / 2, box.y + box.side / 2 - height / 2
        return box.side - 0.5 * float(np.hypot(right, down))

    return sorted(boxes, key=prominence, reverse=True)


def _scales(photo: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The photo, halved until its longer side is at most `LONGEST`.

    The photo itself is left out where its half is larger than that: only faces of fewer than 20
    pixels would be found in it alone, at three quarters of the time.
    """
    if max(photo.shape[:2]) <= 2 * LONGEST:
        yield photo
    while max(photo.shape[:2]) > LONGEST:
        height, width = ((side + 1) // 2 for side in photo.shape[:2])
        photo = np.asarray(
            cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
        yield photo


def _square(x: float, y: float, width: float, height: float) -> Box:
    side = max(1, round(max(width, height)))
    return Box(round(x + (width - side) / 2), round(y + (height - side) / 2), side)


@functools.cache
def _cascade() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(cv2.data.haarcascades + CASCADE)


@functools.cache  # a worker loads it once; it cannot be sent to one
def _yunet(model: str, score_threshold: float) -> cv2.FaceDetectorYN:
    return cv2.FaceDetectorYN.create(model, "", (0, 0), score_threshold)
