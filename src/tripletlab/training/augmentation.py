"""Augmentations: how a batch of faces is varied before the network sees it.

An augmentation takes `faces` (n, size, size) uint8 and a seeded generator, and returns as many.
"""

from collections.abc import Callable
from typing import Annotated

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tripletlab.training.backend import graph

Faces = NDArray[np.uint8]  # (n, size, size)
BEST_QUALITY = 95  # OpenCV's own default for a JPEG


def none(faces: Faces, rng: np.random.Generator) -> Faces:
    """The faces as they are."""
    return faces


def light(
    faces: Faces,
    rng: np.random.Generator,
    *,
    flip: Annotated[float, Field(ge=0, le=1)],
    shift: Annotated[int, Field(ge=0, le=16)],
    brightness: Annotated[float, Field(ge=0, le=128)],
    contrast: Annotated[float, Field(ge=0, lt=1)],
) -> Faces:
    """Mirror with probability `flip`, move up to `shift` pixels, and change the light.

    `brightness` adds up to so many grey levels, `contrast` scales around the mean by up to so much.
    """
    mirrored, faces = rng.random(len(faces)) < flip, faces.copy()
    faces[mirrored] = faces[mirrored, :, ::-1]
    moved = _shifted(faces, rng, most=shift)
    gain = 1 + rng.uniform(-contrast, contrast, (len(faces), 1))
    offset = rng.uniform(-brightness, brightness, (len(faces), 1))
    pixels = moved.reshape(len(faces), -1)
    mean = cv2.reduce(pixels, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S) / pixels.shape[1]  # (n, 1)
    # What becomes of each grey level, by face: a table is much faster than arithmetic on pixels.
    levels = np.clip(np.rint((np.arange(256) - mean) * gain + mean + offset), 0, 255)
    for face, table in zip(moved, levels.astype(np.uint8), strict=True):
        cv2.LUT(face, table, dst=face)
    return moved


class Varied:
    """Keras' layers, one behind the other; each of a setting of 0 is left out.

    `flip` mirrors every second face; `shift` and `zoom` are the most of a side, `rotation` the most
    degrees either way, and the border repeats the edge; `brightness` is the most of 255 that is
    added or taken, `contrast` the most that the distance to the mean changes; `cut_out` is how
    often a rectangle, of 2 to 20 % of the face, is grey.
    """

    def __init__(
        self,
        *,
        flip: bool,
        shift: Annotated[float, Field(ge=0, le=0.5)],
        zoom: Annotated[float, Field(ge=0, le=0.5)],
        rotation: Annotated[float, Field(ge=0, le=180)],
        brightness: Annotated[float, Field(ge=0, le=1)],
        contrast: Annotated[float, Field(ge=0, lt=1)],
        cut_out: Annotated[float, Field(ge=0, le=1)],
    ) -> None:
        make, grey = keras.layers, {"value_range": (0, 255)}
        turn = rotation / 360
        edge = {"fill_mode": "nearest"}
        asked = [
            flip and make.RandomFlip("horizontal"),
            shift and make.RandomTranslation(shift, shift, **edge),
            zoom and make.RandomZoom((-zoom, zoom), **edge),
            turn and make.RandomRotation((-turn, turn), **edge),
            brightness and make.RandomBrightness(brightness, **grey),
            contrast and make.RandomContrast((contrast, contrast), **grey),  # 1 -, 1 + so much
            cut_out and make.RandomErasing((cut_out, cut_out), (0.02, 0.2), fill_value=127.5),
        ]
        self.layers = [layer for layer in asked if layer]
        self.graph = graph(self._call)

    def _call(self, faces: keras.KerasTensor) -> keras.KerasTensor:
        for layer in self.layers:
            faces = layer(faces, training=True)
        return faces

    def __call__(self, faces: Faces, rng: np.random.Generator) -> Faces:
        """The layers' random states are drawn anew, so that a batch follows from its generator."""
        for layer in self.layers:
            layer.generator.state.assign(rng.integers(0, 2**31, 2))
        varied = np.asarray(self.graph(faces[..., None].astype(np.float32)))[..., 0]
        return np.asarray(np.clip(np.rint(varied), 0, 255), np.uint8)


class Degraded:
    """`varied`, and then a `share` of the faces with less detail and with JPEG's traces.

    Such a face is reduced to between `scale` of its side and the whole side, enlarged again, and
    compressed as JPEG with a quality between `quality` and 95.
    """

    def __init__(
        self,
        *,
        varied: Callable[[Faces, np.random.Generator], Faces],
        share: Annotated[float, Field(ge=0, le=1)],
        scale: Annotated[float, Field(gt=0, le=1)],
        quality: Annotated[int, Field(ge=1, le=BEST_QUALITY)],
    ) -> None:
        self.varied, self.share, self.scale, self.quality = varied, share, scale, quality

    def __call__(self, faces: Faces, rng: np.random.Generator) -> Faces:
        """A new array; the faces that are not drawn are those of `varied`."""
        degraded = self.varied(faces, rng).copy()
        for index in np.flatnonzero(rng.random(len(faces)) < self.share):
            degraded[index] = self._degrade(degraded[index], rng)
        return degraded

    def _degrade(self, face: Faces, rng: np.random.Generator) -> Faces:
        side = max(1, round(len(face) * rng.uniform(self.scale, 1)))
        small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, face.shape, interpolation=cv2.INTER_CUBIC)
        quality = int(rng.integers(self.quality, BEST_QUALITY, endpoint=True))
        _, jpeg = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)


def _shifted(faces: Faces, rng: np.random.Generator, *, most: int) -> Faces:
    """Each face moved by its own whole number of pixels; the border repeats the edge."""
    # np.pad takes a third longer, with the memory settings of a training (backend.load)
    rows = np.concatenate([*most * [faces[:, :1]], faces, *most * [faces[:, -1:]]], axis=1)
    first, last = rows[..., :1], rows[..., -1:]
    padded = np.concatenate([*most * [first], rows, *most * [last]], axis=2)
    top, left = rng.integers(0, 2 * most + 1, (2, len(faces)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, faces.shape[1:], axis=(1, 2))
    return np.asarray(windows[np.arange(len(faces)), top, left])
