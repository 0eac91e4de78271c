"""A synthetic person and a circumstance to a photo: a shaded height field.

Where a pixel's ray meets the head (head.py), a sum of Gaussians gives the relief of nose, sockets,
lips and cheeks, and soft-edged shapes the colours. The relief's slope is shaded by Lambert's law.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.photos.conditions import Circumstance
from tripletlab.photos.head import Plane, Surface, camera, soft, surface_of
from tripletlab.photos.person import Person, colour

Picture = NDArray[Any]  # (size, size, 3) float32


def render(person: Person, circumstance: Circumstance, *, size: int) -> NDArray[np.uint8]:
    """The photo, (size, size, 3) RGB."""
    rng = np.random.default_rng(circumstance.seed)
    x, y = camera(circumstance, size)
    surface = surface_of(x, y, person, circumstance)
    relief = _relief(surface, person, circumstance)
    skin = _colours(surface, person, circumstance)
    shaded = skin * _shade(surface.depth + relief, circumstance)[..., None]
    scene = _behind(x, y, person, circumstance, rng)
    photo = scene + surface.inside[..., None] * (shaded - scene)
    return _developed(photo, circumstance, rng, size)


def _bump(s: Surface, u: float, v: float, wide: float, high: float) -> Plane:
    """A Gaussian of height 1."""
    return np.exp(-(((s.u - u) / wide) ** 2) - ((s.v - v) / high) ** 2)


def _relief(s: Surface, p: Person, c: Circumstance) -> Plane:
    eyes, tip = p.eye_height, p.eye_height + p.nose_length
    mouth = tip + p.mouth_height
    bridge = (eyes + tip) / 2
    lean = p.nose_out * 0.5 * np.sin(c.yaw)  # what stands out moves further as the head turns
    relief = p.nose_out * (
        0.55 * _bump(s, lean * 0.6, bridge, p.nose_width * 0.55, p.nose_length * 0.55)
        + 0.75 * _bump(s, lean, tip - 0.03, p.nose_width * 0.75, 0.09)
    )
    for side in (-1, 1):
        relief += (
            p.nose_out
            * 0.3
            * _bump(s, lean * 0.5 + side * p.nose_width * 0.8, tip, p.nose_width * 0.4, 0.06)
        )
        relief -= p.socket * _bump(s, side * p.eye_gap, eyes - 0.02, 0.17, 0.11)
        relief += 0.06 * _bump(s, side * p.eye_gap, eyes - p.brow_height - 0.02, 0.2, 0.07)
        cheek = 0.03 + p.cheek + 0.03 * max(c.smile, 0)
        relief += cheek * _bump(s, side * 0.36, tip - 0.04, 0.16, 0.17)
    relief += 0.05 * _bump(s, 0, mouth - p.lips * 0.6, p.mouth_width * 0.8, p.lips)
    relief += 0.06 * _bump(s, 0, mouth + p.lips * 0.9, p.mouth_width * 0.6, p.lips)
    return relief + (0.03 + p.chin) * _bump(s, 0, 0.86, 0.17, 0.11)


def _shade(depth: Plane, c: Circumstance) -> Plane:
    """Ambient light, Lambert's law, and a little gloss."""
    per_unit = depth.shape[0] * c.scale
    down, right = np.gradient(depth)
    nx, ny = -right * per_unit, -down * per_unit
    length = np.sqrt(nx * nx + ny * ny + 1)
    facing = np.maximum((nx * c.light[0] + ny * c.light[1] + c.light[2]) / length, 0)
    return np.asarray(c.ambient + (1 - c.ambient) * 1.15 * facing + 0.10 * facing**12)


def _paint(picture: Picture, cover: Plane, paint: NDArray[Any]) -> None:
    picture += cover[..., None] * (paint - picture)


def _colours(s: Surface, p: Person, c: Circumstance) -> Picture:
    picture = np.empty((*s.u.shape, 3), np.float32)
    picture[:] = p.skin
    dark = p.skin * colour(0.45, 0.36, 0.34)
    _paint_mouth(picture, s, p, c)
    lean = p.nose_out * 0.4 * np.sin(c.yaw)
    for side in (-1, 1):
        u, v = lean + side * p.nose_width * 0.45, p.eye_height + p.nose_length + 0.035
        _paint(picture, 0.8 * _bump(s, u, v, p.nose_width * 0.3, 0.022), dark * 0.5)
        _paint_eye(picture, s, p, c, side)
    for u, v, radius, darkness in p.marks:
        _paint(picture, darkness * _bump(s, u, v, radius, radius), dark * 0.5)
    _paint_hair(picture, s, p)
    if c.glasses and p.glasses:
        _paint_glasses(picture, s, p)
    return picture


def _paint_mouth(picture: Picture, s: Surface, p: Person, c: Circumstance) -> None:
    smile = 1 + 0.22 * c.smile
    wide = p.mouth_width * smile
    line = p.eye_height + p.nose_length + p.mouth_height - 0.10 * c.smile * (s.u / wide) ** 2
    reach = np.sqrt(np.maximum(1 - (s.u / wide) ** 2, 0))
    lips = soft(p.lips * (0.9 * reach + 0.1) - np.abs(s.v - line), 0.014) * (reach > 0)
    red = p.skin * colour(1 - 0.25 * p.lip_red, 1 - 0.75 * p.lip_red, 1 - 0.65 * p.lip_red)
    beard = p.hair * 0.8
    below = soft(s.v - (line - 0.07) - 0.9 * np.abs(s.u) * 0.1, 0.06)
    chin = below * soft(np.abs(s.u) - wide * 0.9 + 2.5 * (s.v - line), 0.08)
    _paint(
        picture,
        p.beard
        * np.maximum(
            chin,
            soft(s.v - 0.35 - 0.2 * (0.7 - np.abs(s.u)), 0.06) * soft(np.abs(s.u) - 0.42, 0.05),
        ),
        beard,
    )
    over_lip = line - p.lips - 0.055
    _paint(picture, p.moustache * _bump(s, 0, float(np.mean(over_lip)), wide * 1.05, 0.045), beard)
    fold = np.abs(s.v - (line - 0.12)) < 0.14
    for side in (-1, 1):
        crease = np.abs(s.u - side * (p.nose_width * 1.3 + 0.5 * (s.v - line + 0.25) * 0.6))
        _paint(
            picture,
            (4 + 8 * max(c.smile, 0)) * p.folds * soft(0.012 - crease, 0.02) * fold,
            p.skin * 0.55,
        )
    _paint(picture, lips, red)
    gap = 0.008 + 0.05 * c.mouth_open
    inside = soft(gap * reach - np.abs(s.v - line), 0.012) * (reach > 0.15)
    _paint(picture, 0.85 * inside, p.skin * colour(0.28, 0.14, 0.13))
    if c.mouth_open > 0.35:
        teeth = soft(gap * 0.45 * reach - np.abs(s.v - line + gap * 0.45), 0.012) * (reach > 0.4)
        _paint(picture, 0.8 * teeth, colour(0.85, 0.82, 0.76))


def _paint_eye(picture: Picture, s: Surface, p: Person, c: Circumstance, side: int) -> None:
    du = (s.u - side * p.eye_gap) * side  # outwards
    dv = s.v - p.eye_height + p.eye_tilt * du
    opening = p.eye_open * max(0.15, 1 - 0.6 * c.blink)
    reach = np.maximum(1 - (du / p.eye_width) ** 2, 0)
    lids = opening * reach - np.abs(dv)
    shadow = 0.6 * np.exp(-((du / 0.17) ** 2) - ((dv + 0.02) / 0.10) ** 2)
    _paint(picture, shadow, p.skin * 0.45)
    ball = soft(lids, 0.010)
    _paint(picture, ball, 0.35 * colour(0.9, 0.88, 0.86) + 0.55 * p.skin)
    off = side * c.gaze * p.eye_width * 0.4
    radius = 0.062
    distance = np.sqrt((du - off) ** 2 + dv * dv)
    _paint(picture, ball * soft(radius - distance, 0.012), p.iris)
    _paint(picture, ball * soft(0.027 - distance, 0.010), colour(0.03, 0.03, 0.03))
    lash = soft(0.012 - np.abs(dv + opening * reach), 0.010) * (reach > 0)
    _paint(picture, 0.85 * lash, p.hair * 0.25)
    arch = p.brow_height + c.brows - 0.6 * du * du + p.brow_tilt * du
    thick = p.brow_thick * np.clip(1.1 - 2.2 * np.abs(du - 0.02), 0.25, 1)
    brow = soft(thick - np.abs(s.v - p.eye_height + arch), 0.016)
    _paint(picture, p.brow_dark * brow * soft(0.20 - np.abs(du), 0.03), p.hair * 0.7)


def _paint_hair(picture: Picture, s: Surface, p: Person) -> None:
    across = s.u - p.hair_part
    line = (
        p.hairline
        + 0.55 * across * across * (1 - p.fringe)
        + p.fringe * soft(0.4 - np.abs(s.u), 0.1)
    )
    hair = soft(line - s.v, 0.035)
    beside = soft(np.abs(s.u) - 0.80 * p.width - 0.12, 0.05) * soft(p.hair_side - s.v, 0.08)
    strands = 1 + 0.18 * np.sin(40 * s.u + 9 * s.v) * np.sin(23 * s.u - 5 * s.v)
    _paint(picture, np.maximum(hair, beside), p.hair * strands[..., None])


def _paint_glasses(picture: Picture, s: Surface, p: Person) -> None:
    power = p.glasses_round
    frame = np.zeros_like(s.u)
    for side in (-1, 1):
        du = np.abs(s.u - side * p.eye_gap) / 0.215
        dv = np.abs(s.v - p.eye_height - 0.02) / 0.165
        ring = np.abs((du**power + dv**power) ** (1 / power) - 1)
        frame = np.maximum(frame, soft(0.10 - ring, 0.07))
    bridge = soft(0.016 - np.abs(s.v - p.eye_height + 0.03), 0.012) * (
        np.abs(s.u) < p.eye_gap - 0.2
    )
    _paint(picture, 0.9 * np.maximum(frame, bridge), colour(0.95, 0.9, 0.85) * (1 - p.glasses))


def _behind(x: Plane, y: Plane, p: Person, c: Circumstance, rng: np.random.Generator) -> Picture:
    """Wall, shoulders, neck, ears, and the hair that stands out from the head."""
    cells = int(rng.integers(2, 6))
    grey = rng.uniform(0.1, 0.85) + rng.normal(0, 0.12, (cells, cells, 1))
    coarse = grey + rng.normal(0, 0.07, 3) + rng.normal(0, 0.03, (cells, cells, 3))
    size = x.shape[::-1]
    picture = np.asarray(cv2.resize(np.float32(coarse), size, interpolation=cv2.INTER_CUBIC))
    light = c.ambient + (1 - c.ambient) * max(0.0, c.light[2])
    clothes = np.float32(rng.uniform(0.08, 0.85, 3)) * light
    neck = soft(0.42 * p.width + 0.06 - np.abs(x), 0.03) * soft(y - 0.5, 0.1)
    shoulders = soft(y - 1.28 - 0.16 * x * x + 0.1 * np.exp(-((x / 0.4) ** 2)), 0.03)
    turned = x - 0.25 * np.sin(c.yaw)
    volume = 1 + p.hair_volume
    round_head = 1 - (turned / (p.width * volume)) ** 2 - ((y + 0.04) / volume) ** 2
    hair = soft(round_head, 0.06) * soft(p.hair_side + 0.2 - y, 0.1)
    falls = (
        soft(p.width * (1.02 + p.hair_volume) - np.abs(turned), 0.04)
        * soft(p.hair_side - y, 0.1)
        * soft(y + 0.1, 0.1)
    )
    ears = np.maximum(
        *(
            soft(1 - ((turned - side * p.width * 1.0) / 0.09) ** 2 - ((y - 0.08) / 0.17) ** 2, 0.3)
            for side in (-1, 1)
        )
    )
    _paint(picture, neck, p.skin * light * 0.72)
    _paint(picture, shoulders, np.asarray(clothes))
    _paint(picture, ears, p.skin * light * 0.8)
    _paint(picture, np.maximum(hair, falls if p.hair_side > 0.3 else 0), p.hair * light * 0.8)
    return picture


def _developed(
    photo: Picture, c: Circumstance, rng: np.random.Generator, size: int
) -> NDArray[np.uint8]:
    """Exposure, colour of the light, blur, tone curve, grain."""
    warm = colour(1 + c.warmth, 1, 1 - c.warmth) * np.float32(c.exposure)
    photo = cv2.GaussianBlur(photo * warm, (0, 0), max(c.blur * size, 0.2))
    photo = np.clip(photo, 0, 1) ** np.float32(c.gamma / 1.2)
    photo += rng.standard_normal(photo.shape, np.float32) * np.float32(c.noise)
    return (np.clip(photo, 0, 1) * 255 + 0.5).astype(np.uint8)
