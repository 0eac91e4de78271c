"""Are faces missed in a smaller frame? Counts those found at full size, and again when shrunk.

    TRIPLETLAB_YUNET=file python benchmarks/detection_scale.py LFW

Frames of 640×480 are filled with photos from the folder, with sides of 480, 240, 160 and 120
pixels. A face counts as found again if its box and a box at the smaller scale overlap by half.
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tripletlab import config
from tripletlab.faces.cropping import Photo, read_photo
from tripletlab.faces.detection import Box, Detector

FRAMES = {480: 40, 240: 15, 160: 8, 120: 5}  # side of a photo: frames
SCALES = (0.75, 0.5)
HEIGHT, WIDTH = 480, 640


def main(folder: Path) -> None:
    """Print a line for each detector and scale."""
    for name in ("paper", "yunet"):
        recipe = config.compose("train", [f"faces={name}"]).faces.build()
        found = {scale: [0, 0] for scale in SCALES}
        for frame in frames(folder, colour=recipe.colour):
            whole = at_scale(recipe.detector, frame, 1)
            for scale, counts in found.items():
                again = at_scale(recipe.detector, frame, scale)
                counts[0] += len(whole)
                counts[1] += sum(any(same(one, other) for other in again) for one in whole)
        for scale, (all_faces, again_found) in found.items():
            print(f"faces={name}, frames at {scale:g}: {again_found} of {all_faces} found again")


def frames(folder: Path, *, colour: bool) -> Iterator[Photo]:
    """Frames full of photos, the same ones each time."""
    photos = sorted(folder.rglob("*.jpg"))
    random.Random(0).shuffle(photos)
    files = iter(photos)
    for side, count in FRAMES.items():
        for _ in range(count):
            frame = np.full((HEIGHT, WIDTH, 3) if colour else (HEIGHT, WIDTH), 127, np.uint8)
            for y in range(0, HEIGHT - side + 1, side):
                for x in range(0, WIDTH - side + 1, side):
                    photo = read_photo(next(files), colour=colour)
                    method = cv2.INTER_AREA if side < len(photo) else cv2.INTER_CUBIC
                    frame[y : y + side, x : x + side] = cv2.resize(
                        photo, (side, side), interpolation=method
                    )
            yield frame


def at_scale(detector: Detector, frame: Photo, scale: float) -> list[Box]:
    """The boxes in a frame that is shrunk first, in pixels of the whole one."""
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return [Box(*(round(part / scale) for part in box)) for box in detector(small)]


def same(one: Box, other: Box) -> bool:
    """Whether their intersection is half of their union."""
    sides = [
        max(0, min(a + one.side, b + other.side) - max(a, b))
        for a, b in ((one.x, other.x), (one.y, other.y))
    ]
    shared = sides[0] * sides[1]
    return shared >= 0.5 * (one.side**2 + other.side**2 - shared)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
