"""Where the eyes, the nose and the mouth are in a found face: a cascade of linear regressions.

From the average face every stage moves all points at once, by a linear function of the gradients
around them (supervised descent, Xiong and De la Torre 2013). The coefficients come from synthetic
people, whose landmarks are known exactly; landmark_training.py is the command that makes them.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.faces.cropping import Grey, Photo, crop, grown, in_grey
from tripletlab.faces.detection import Box, YuNet
from tripletlab.system.files import whole

NAMES = (
    *("left_outer_eye", "left_inner_eye", "right_inner_eye", "right_outer_eye"),
    *("nose", "left_mouth", "right_mouth", "bottom_lip"),
)  # left and right as the photo shows them
Points = NDArray[np.float64]  # (points, 2) pixels right and down
Finder = Callable[[Photo, Box], Points]  # one face of a photo -> (8, 2) in the order of NAMES

PATCH = 72  # pixels of the square that the regression works on
BORDER = 0.1  # around the found box, of its side
BINS = 6  # of a gradient's direction, light and dark exchanged
CELLS = 4  # by as many, around a point
STEP = 6.0  # pixels from cell to cell
COEFFICIENTS = Path(__file__).with_name("landmarks.npz")


class LinearStage(NamedTuple):
    """One linear step: how the features (features,) move the points (8, 2)."""

    slope: NDArray[np.float32]  # (features, 16)
    shift: NDArray[np.float32]  # (16,)


class Regressor(NamedTuple):
    """The average face (8, 2) in pixels of the patch, and the steps from it."""

    mean: Points
    stages: tuple[LinearStage, ...]


def regressed(photo: Photo, box: Box) -> Points:
    """The landmarks of the face in a box of the photo, by the coefficients that are kept here."""
    wide = grown(box, border=BORDER)
    points = regress(in_grey(crop(photo, wide, size=PATCH)), load(COEFFICIENTS))
    return from_patch(points, wide)


@dataclass(frozen=True)
class FivePoints:
    """YuNet's five landmarks; the corners of the eyes and the lip by an adult's proportions.

    From an eye's middle its corners are 0.21 (outer) and 0.24 (inner) of the eyes' distance away,
    from the mouth's middle the lip's lowest point 0.13 of its distance from the eyes. All points
    are NaN where YuNet finds no face whose middle is in the box.
    """

    network: YuNet

    def __post_init__(self) -> None:
        if not isinstance(self.network, YuNet):
            raise InputError(
                "faces/aligner=yunet needs faces/detector=yunet, which finds its points"
            )

    def __call__(self, photo: Photo, box: Box) -> Points:
        """The landmarks of the face in a box of the photo."""
        wide = grown(box, border=0.4)
        rows = self.network.found(crop(photo, wide, size=2 * PATCH))
        away = np.abs(rows[:, :2] + rows[:, 2:4] / 2 - PATCH)  # from the middle of what is searched
        inside = (away <= PATCH * box.side / wide.side).all(axis=1)
        if not inside.any():
            return np.full((len(NAMES), 2), np.nan)
        nearest = np.where(inside, np.hypot(*away.T), np.inf).argmin()
        left, right, nose, *mouth = np.float64(rows[nearest, 4:14]).reshape(5, 2)
        across, middle = right - left, (mouth[0] + mouth[1]) / 2
        lip = middle + 0.13 * (middle - (left + right) / 2)
        eyes = [left - 0.21 * across, left + 0.24 * across]
        eyes += [right - 0.24 * across, right + 0.21 * across]
        return from_patch(np.stack([*eyes, nose, *mouth, lip]) / 2 - 0.25, wide)


def regress(patch: Grey, regressor: Regressor) -> Points:
    """The landmarks in a patch (72, 72), in its pixels."""
    gradients = directions(patch)
    points = regressor.mean
    for stage in regressor.stages:
        points = points + (describe(gradients, points) @ stage.slope + stage.shift).reshape(-1, 2)
    return points


def directions(patch: Grey) -> NDArray[np.float32]:
    """How strong the gradient is in every direction (72, 72, bins), evened out over the patch."""
    light = patch.astype(np.float32)
    right, down = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(right, down)
    strength = strength / (cv2.GaussianBlur(strength, (0, 0), PATCH / 6) + 4.0)
    place = np.mod(angle, np.pi) * (BINS / np.pi)
    away = np.abs(place[..., None] - np.arange(BINS, dtype=np.float32))
    share = np.maximum(0, 1 - np.minimum(away, BINS - away))  # of the two nearest bins
    return np.asarray(cv2.GaussianBlur(strength[..., None] * share, (0, 0), STEP / 3), np.float32)


def describe(gradients: NDArray[np.float32], points: Points) -> NDArray[Any]:
    """The gradients around the points (features,), each point's of length 1 and clipped, as SIFT's.

    Beyond the patch its edge is repeated.
    """
    reach = (np.arange(CELLS) - (CELLS - 1) / 2) * STEP
    right = (points[:, 0, None, None] + reach[None, None, :] + np.zeros((1, CELLS, 1))).ravel()
    down = (points[:, 1, None, None] + reach[None, :, None] + np.zeros((1, 1, CELLS))).ravel()
    x, y = (axis.astype(np.float32)[None] for axis in (right, down))
    values = cv2.remap(gradients, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    features: NDArray[Any] = values.reshape(len(points), -1)
    features = np.minimum(features / (np.linalg.norm(features, axis=1, keepdims=True) + 1e-6), 0.2)
    features /= np.linalg.norm(features, axis=1, keepdims=True) + 1e-6
    return features.ravel()


def from_patch(points: Points, wide: Box) -> Points:
    """Pixels of the patch to pixels of the photo, the patch showing this box of it."""
    return (points + 0.5) * (wide.side / PATCH) - 0.5 + (wide.x, wide.y)


def to_patch(points: Points, wide: Box) -> Points:
    """The way back."""
    return (points + 0.5 - (wide.x, wide.y)) * (PATCH / wide.side) - 0.5


@functools.cache
def load(path: Path) -> Regressor:
    """A regressor as `save` wrote it."""
    with np.load(path) as file:
        slopes, shifts = file["slopes"].astype(np.float32), file["shifts"]
        return Regressor(file["mean"], tuple(map(LinearStage, slopes, shifts)))


def save(path: Path, regressor: Regressor) -> None:
    """Halved precision for the slopes: fewer bytes than the landmarks' own error is worth."""
    slopes = np.stack([stage.slope for stage in regressor.stages]).astype(np.float16)
    shifts = np.stack([stage.shift for stage in regressor.stages]).astype(np.float32)
    with whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, mean=regressor.mean, slopes=slopes, shifts=shifts)
