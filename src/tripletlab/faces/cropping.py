"""A photo file to a face of a fixed size."""

import io
import os
import warnings
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tripletlab.faces.detection import Box
from tripletlab.system.progress import quiet_stderr

Grey = NDArray[np.uint8]  # (height, width)
Photo = NDArray[np.uint8]  # (height, width) grey, or (height, width, 3) blue green red

MOST_PIXELS = int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"])  # 100 million, unless one's own is less
MOST_BYTES = 1 << 30  # of its file
ORIENTATION = 0x112  # EXIF's mark, 1 to 8
TURNS = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}  # by quarters to the left, by the mark
MIRRORED = (2, 4, 5, 7)  # marks of photos that are mirrored before they are turned


class _Header(NamedTuple):
    pixels: int
    mark: int | None  # orientation of an AVIF photo, which OpenCV does not turn upright


def read_photo(path: Path, *, colour: bool = False) -> Photo | None:
    """The photo, upright by its EXIF mark; None when it cannot be read or decoded.

    None as well for what is no file (a pipe would be waited for) and what would fill the memory.
    It is decoded from memory, for from a file OpenCV fills up what a truncated JPEG lacks.
    """
    data = read_bytes(path)
    return None if data is None else decode_photo(data, colour=colour)


def read_bytes(path: Path) -> bytes | None:
    """The bytes of a photo's file; None where it is no file, cannot be read or is far too large."""
    try:
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            return path.read_bytes()
    except OSError:
        pass
    return None


def decode_photo(data: bytes, *, colour: bool = False) -> Photo | None:
    """The photo in a file's bytes, in grey or (height, width, 3) blue green red.

    None where it cannot be decoded, or has more pixels than MOST_PIXELS by its header: OpenCV
    refuses these too, but only as it reads them, and Pillow cannot read every header.
    """
    header = _header(data)
    if not data or header.pixels > MOST_PIXELS:
        return None
    wanted = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    if header.mark is not None:
        wanted |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        with quiet_stderr():  # the C libraries print there what a bad photo has wrong
            photo = cv2.imdecode(np.frombuffer(data, np.uint8), wanted)
    except cv2.error:
        return None
    return None if photo is None else _upright(photo.astype(np.uint8, copy=False), header.mark)


def _upright(photo: Photo, mark: int | None) -> Photo:
    if mark in MIRRORED:
        photo = photo[:, ::-1]
    return np.ascontiguousarray(np.rot90(photo, TURNS.get(mark or 1, 0)))


def _header(data: bytes) -> _Header:
    """What Pillow reads of a photo without decoding it; 0 pixels where it can read nothing."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as photo:
            mark = photo.getexif().get(ORIENTATION, 1) if photo.format == "AVIF" else None
            return _Header(photo.width * photo.height, mark)
    except Image.DecompressionBombError:
        return _Header(MOST_PIXELS + 1, None)
    except Exception:  # a damaged header makes Pillow's readers raise nearly anything
        return _Header(0, None)


def in_grey(photo: Photo) -> Grey:
    """A photo as grey."""
    return photo if photo.ndim == 2 else np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY))


def crop(photo: Photo, box: Box, *, size: int) -> Photo:
    """The box as (size, size), in colour where the photo is; beyond it its edge is repeated."""
    height, width = photo.shape[:2]
    outside = max(0, -box.x, -box.y, box.x + box.side - width, box.y + box.side - height)
    wide = cv2.copyMakeBorder(photo, outside, outside, outside, outside, cv2.BORDER_REPLICATE)
    x, y = box.x + outside, box.y + outside
    face = wide[y : y + box.side, x : x + box.side]
    shrinking = box.side > size
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(face, (size, size), interpolation=method), np.uint8)


def grown(box: Box, *, border: float) -> Box:
    """The box with a border all around, given as a fraction of its side."""
    more = round(box.side * border)
    return Box(box.x - more, box.y - more, box.side + 2 * more)


def centre(photo: Photo, *, fraction: float) -> Box:
    """The square in the middle, its side a fraction of the photo's shorter one."""
    height, width = photo.shape[:2]
    side = max(1, round(min(height, width) * fraction))
    return Box((width - side) // 2, (height - side) // 2, side)
