"""The head in front of the camera: the point that each pixel shows, and the pixel of a point.

The head is an ellipsoid that narrows to the chin, the camera orthographic: every pixel's ray meets
the turned ellipsoid in one point.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.photos.conditions import Circumstance
from tripletlab.photos.person import Person, colour

Plane = NDArray[Any]  # (size, size) float32; mypy cannot follow NumPy's promotions

DEPTH = 0.92  # of the head, half, in halves of its height


class Surface(NamedTuple):
    """Where each pixel's ray meets the head; `inside` is 1 on it and 0 beside it, soft-edged."""

    u: Plane
    v: Plane
    depth: Plane
    inside: Plane


def camera(circumstance: Circumstance, size: int) -> tuple[Plane, Plane]:
    """x to the right and y down the upright head, in halves of its height, of every pixel."""
    axis = ((np.arange(size, dtype=np.float32) + 0.5) / size - 0.5) / circumstance.scale
    x, y = np.meshgrid(axis - circumstance.shift[0], axis - circumstance.shift[1])
    cos, sin = np.float32(np.cos(circumstance.roll)), np.float32(np.sin(circumstance.roll))
    return cos * x + sin * y, cos * y - sin * x


def surface_of(x: Plane, y: Plane, person: Person, circumstance: Circumstance) -> Surface:
    """The point of the head that each pixel shows: u right and v down along it (see person.py)."""
    x = x / _taper(y, person)
    turn = _rotation(circumstance.yaw, circumstance.pitch)
    axes = colour(person.width, 1.0, DEPTH)
    quadric = (turn * axes**-2) @ turn.T
    b = quadric[0, 2] * x + quadric[1, 2] * y
    c = quadric[0, 0] * x * x + 2 * quadric[0, 1] * x * y + quadric[1, 1] * y * y - 1
    discriminant = b * b - quadric[2, 2] * c
    depth = (np.sqrt(np.maximum(discriminant, 0)) - b) / quadric[2, 2]
    px, py, pz = (turn[0, i] * x + turn[1, i] * y + turn[2, i] * depth for i in range(3))
    around = np.sqrt(np.maximum(1 - py * py, 1e-6))  # the head's girth at this height
    u = person.width * around * np.arctan2(px / person.width, pz / DEPTH)
    return Surface(u, py, depth, soft(discriminant, 0.05))


def _taper(y: Plane, person: Person) -> Plane:
    """The face's width at each height, as a fraction of the ellipsoid's."""
    low = np.clip(y, 0, 1.2)
    return 1 - person.jaw * low**person.jaw_power + 0.05 * person.cheek * (1 - low)


def landmarks(person: Person, circumstance: Circumstance, *, size: int) -> NDArray[np.float64]:
    """Where the photo shows these points (8, 2), in pixels right and down.

    In the order of `faces.landmarks.NAMES`: the corners of the eyes from left to right, the tip of
    the nose, the corners of the mouth, the lowest point of the bottom lip.
    """
    p, c = person, circumstance
    drop = p.eye_tilt * p.eye_width  # an eye's inner corner is lower by it, the outer one higher
    outer, inner = p.eye_gap + p.eye_width, p.eye_gap - p.eye_width
    tip = p.eye_height + p.nose_length
    line = tip + p.mouth_height
    wide = p.mouth_width * (1 + 0.22 * c.smile)
    corner = line - 0.10 * c.smile
    bottom = line + max(p.lips, 0.008 + 0.05 * c.mouth_open)
    points = np.array(
        [
            [-outer, p.eye_height - drop],
            [-inner, p.eye_height + drop],
            [inner, p.eye_height + drop],
            [outer, p.eye_height - drop],
            [p.nose_out * 0.5 * np.sin(c.yaw), tip],
            [-wide, corner],
            [wide, corner],
            [0, bottom],
        ]
    )
    return _projected(points, person, circumstance, size)


def _projected(
    points: NDArray[Any], person: Person, c: Circumstance, size: int
) -> NDArray[np.float64]:
    """The pixels that show points (n, 2) of the surface, u and v: the inverse of `surface_of`."""
    u, v = points.T
    girth = np.sqrt(1 - v * v)
    angle = u / (person.width * girth)
    head = np.stack([person.width * girth * np.sin(angle), v, DEPTH * girth * np.cos(angle)])
    x, y, _ = _rotation(c.yaw, c.pitch).astype(np.float64) @ head
    x = x * _taper(y, person)
    cos, sin = np.cos(c.roll), np.sin(c.roll)
    right, down = cos * x - sin * y + c.shift[0], sin * x + cos * y + c.shift[1]
    return (np.stack([right, down], axis=1) * c.scale + 0.5) * size - 0.5


def _rotation(yaw: float, pitch: float) -> NDArray[np.float32]:
    """Columns are the head's axes in the camera's directions; z points at the camera."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    return np.array([[cy, 0, sy], [sy * sp, cp, -cy * sp], [-sy * cp, sp, cy * cp]], np.float32)


def soft(distance: Plane, width: float) -> Plane:
    """0 to 1 where the distance crosses zero, over about twice the width."""
    return np.clip(distance / (2 * width) + 0.5, 0, 1)
