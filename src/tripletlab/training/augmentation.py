"""Augmentations: how a batch of faces is varied before the network sees it.

An augmentation takes `faces` (n, size, size) uint8 and a seeded generator, and returns as many.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

Faces = NDArray[np.uint8]  # (n, size, size)


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
    mirrored = np.where(rng.random(len(faces))[:, None, None] < flip, faces[:, :, ::-1], faces)
    moved = _shifted(mirrored, rng, most=shift)
    gain = 1 + rng.uniform(-contrast, contrast, (len(faces), 1, 1))
    offset = rng.uniform(-brightness, brightness, (len(faces), 1, 1))
    mean = moved.mean(axis=(1, 2), keepdims=True)
    varied = (moved - mean) * gain + mean + offset
    return np.asarray(np.clip(varied, 0, 255), np.uint8)


def _shifted(faces: Faces, rng: np.random.Generator, *, most: int) -> Faces:
    """Each face moved by its own whole number of pixels; the border repeats the edge."""
    count, height, width = faces.shape
    padded = np.pad(faces, ((0, 0), (most, most), (most, most)), mode="edge")
    top, left = rng.integers(0, 2 * most + 1, (2, count))
    rows = top[:, None, None] + np.arange(height)[None, :, None]
    columns = left[:, None, None] + np.arange(width)[None, None, :]
    return np.asarray(padded[np.arange(count)[:, None, None], rows, columns])
