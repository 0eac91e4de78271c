"""A found face to its place in the picture: targets of conf/faces/aligner/.

An aligner cuts the face of a box out of a photo, (size, size) grey, or says None where it cannot.
The photo is in colour for a detector that wants it, and grey otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tripletlab.errors import InputError
from tripletlab.faces.cropping import Grey, Photo, crop, grown, in_grey
from tripletlab.faces.detection import Box
from tripletlab.faces.landmarks import NAMES, Finder, Points

AROUND = 0.5  # of the box's side: what is warped reaches so far beyond it
MIDDLES = {
    "left_eye": ("left_outer_eye", "left_inner_eye"),
    "right_eye": ("right_outer_eye", "right_inner_eye"),
    "mouth": ("left_mouth", "right_mouth"),
}

Fraction = Annotated[float, Field(gt=0, lt=1)]
Matrix = NDArray[np.float64]  # (2, 3) photo to face


class Aligner(Protocol):
    """Cuts out the face of a box; None where its landmarks are not those of a face."""

    def __call__(self, photo: Photo, box: Box, *, size: int) -> Grey | None: ...


def none(photo: Photo, box: Box, *, size: int) -> Grey:
    """The box as it was found."""
    return in_grey(crop(photo, box, size=size))


@dataclass(frozen=True)
class Aligned:
    """Moves landmarks to fixed places (paper, section III.A; OpenFace's triple, for one).

    `places` are fractions of the face's side, right and down, by the landmarks' names; left_eye,
    right_eye and mouth are the middles of their corners. `similarity` turns, scales and moves, by
    least squares; `affine` also stretches and slants, and needs three places.
    """

    landmarks: Finder
    places: Mapping[str, tuple[Fraction, Fraction]]
    transform: Literal["similarity", "affine"]

    def __post_init__(self) -> None:
        known = (*NAMES, *MIDDLES)
        unknown = [name for name in self.places if name not in known]
        if unknown:
            raise InputError(
                f"faces.aligner.places: {unknown[0]} is none of {', '.join(sorted(known))}"
            )
        needed = 3 if self.transform == "affine" else 2
        if len(self.places) < needed:
            raise InputError(
                f"faces.aligner.places: {self.transform} needs {needed} places or more,"
                f" and {len(self.places)} are given"
            )

    def __call__(self, photo: Photo, box: Box, *, size: int) -> Grey | None:
        """The face (size, size); None where its shape would be turned or stretched too far."""
        found = self._named(self.landmarks(photo, box))
        if not np.isfinite(found).all():
            return None
        wanted = np.array(list(self.places.values())) * size - 0.5
        matrix = (
            similarity(found, wanted) if self.transform == "similarity" else affine(found, wanted)
        )
        if not plausible(matrix, box, size=size):
            return None
        return warp(in_grey(photo), box, matrix, size=size)

    def _named(self, points: Points) -> Points:
        corners = [MIDDLES.get(name, (name,)) for name in self.places]
        return np.stack(
            [points[[NAMES.index(one) for one in some]].mean(axis=0) for some in corners]
        )


def similarity(found: Points, wanted: Points) -> Matrix:
    """The turn, scale and shift that bring points (n, 2) nearest to others, by least squares."""
    source, target = (points[:, 0] + 1j * points[:, 1] for points in (found, wanted))
    centred = source - source.mean()
    factor = (centred.conj() @ (target - target.mean())) / max(
        (centred.conj() @ centred).real, 1e-9
    )
    shift = target.mean() - factor * source.mean()
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def affine(found: Points, wanted: Points) -> Matrix:
    """The affine map that brings points (n, 2) nearest to others, by least squares."""
    extended = np.hstack([found, np.ones((len(found), 1))])
    return np.asarray(np.linalg.lstsq(extended, wanted, rcond=None)[0].T)


def plausible(matrix: Matrix, box: Box, *, size: int) -> bool:
    """The box is turned by at most 45°, scaled to 0.5–2 of the face, stretched by at most 1.6."""
    linear = matrix[:, :2]
    large, small = np.linalg.svd(linear, compute_uv=False) * box.side / size
    upright = np.linalg.det(linear) > 0 and abs(linear[1, 0]) <= linear[0, 0]
    return bool(upright and small > 0.5 and large < 2 and large < 1.6 * small)


def warp(photo: Grey, box: Box, matrix: Matrix, *, size: int) -> Grey:
    """The face under the matrix (size, size); the photo's edge is repeated beyond it.

    It is shrunk by areas first, for a warp that shrinks would alias.
    """
    wide = grown(box, border=AROUND)
    scale = min(1.0, float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))))
    side = max(1, round(wide.side * scale))
    shrunk = side / wide.side
    linear, shift = matrix[:, :2], matrix[:, 2]
    corner = np.array([wide.x, wide.y]) + 0.5 / shrunk - 0.5  # a pixel's place is its middle's
    moved = np.hstack([linear / shrunk, (shift + linear @ corner)[:, None]])
    patch = crop(photo, wide, size=side)
    face = cv2.warpAffine(
        patch, moved, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(face, np.uint8)
