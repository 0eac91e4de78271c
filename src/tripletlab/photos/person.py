"""What makes a synthetic person: the traits that all photos of one share.

Lengths are in halves of the head's height, measured on its surface: u to the right, v down, from
the middle of the face. Colours are linear RGB, 0 to 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[Any]  # (3,) float32

SKINS = np.array([[0.94, 0.76, 0.66], [0.86, 0.64, 0.50], [0.70, 0.49, 0.36], [0.48, 0.32, 0.23]])
HAIRS = np.array(
    [
        [0.07, 0.06, 0.06],
        [0.22, 0.14, 0.09],
        [0.42, 0.28, 0.16],
        [0.72, 0.58, 0.36],
        [0.55, 0.53, 0.52],
    ]
)
IRISES = np.array([[0.20, 0.13, 0.08], [0.30, 0.26, 0.14], [0.28, 0.38, 0.46]])
RANGES = {  # of the traits that everybody has, in the order in which they are drawn
    "width": (0.66, 0.84),
    "jaw": (0.06, 0.34),
    "jaw_power": (1.4, 3.5),
    "eye_gap": (0.255, 0.35),
    "eye_height": (-0.12, 0.04),
    "eye_width": (0.105, 0.155),
    "eye_open": (0.035, 0.075),
    "eye_tilt": (-0.18, 0.18),
    "brow_height": (0.13, 0.24),
    "brow_thick": (0.022, 0.06),
    "brow_tilt": (-0.28, 0.28),
    "brow_dark": (0.35, 0.95),
    "nose_length": (0.30, 0.48),
    "nose_width": (0.085, 0.165),
    "nose_out": (0.12, 0.30),
    "mouth_height": (0.17, 0.29),
    "mouth_width": (0.17, 0.31),
    "lips": (0.028, 0.075),
    "lip_red": (0.1, 0.6),
    "chin": (0.0, 0.10),
    "cheek": (0.0, 0.10),
    "socket": (0.05, 0.13),
    "folds": (0.0, 0.05),
    "hairline": (-0.86, -0.48),
    "hair_part": (-0.35, 0.35),
    "hair_side": (-0.3, 1.2),
    "hair_volume": (0.03, 0.20),
}


@dataclass(frozen=True)
class Person:
    """Traits, drawn once for an identity."""

    width: float  # of the head, half
    jaw: float  # how much the face narrows to the chin
    jaw_power: float  # how suddenly
    eye_gap: float  # from the middle to an eye
    eye_height: float
    eye_width: float
    eye_open: float
    eye_tilt: float
    brow_height: float  # above the eye
    brow_thick: float
    brow_tilt: float
    brow_dark: float
    nose_length: float  # below the eyes
    nose_width: float
    nose_out: float
    mouth_height: float  # below the nose
    mouth_width: float
    lips: float
    lip_red: float
    chin: float
    cheek: float
    socket: float  # depth of the eyes
    folds: float  # from nose to mouth
    hairline: float
    hair_part: float
    hair_side: float  # how far the hair comes down beside the face
    hair_volume: float
    fringe: float
    beard: float
    moustache: float
    glasses: float  # 0 for who wears none, else how dark the frame is
    glasses_round: float
    skin: Colour
    hair: Colour
    iris: Colour
    marks: NDArray[Any]  # (marks, 4): u, v, radius, darkness


def colour(red: float, green: float, blue: float) -> Colour:
    """A colour from its parts."""
    return np.array([red, green, blue], np.float32)


def draw_person(rng: np.random.Generator) -> Person:
    """A person of random traits; the ranges keep them human, and different from each other."""

    def sometimes(chance: float, low: float, high: float) -> float:
        value = float(rng.uniform(low, high))
        return value if rng.random() < chance else 0.0

    bearded = rng.random() < 0.5
    skin = _mixed(SKINS, rng)
    return Person(
        **{trait: float(rng.uniform(*limits)) for trait, limits in RANGES.items()},
        fringe=sometimes(0.3, 0.05, 0.22),
        beard=sometimes(0.6, 0.3, 0.9) if bearded else 0.0,
        moustache=sometimes(0.7, 0.3, 0.9) if bearded else 0.0,
        glasses=sometimes(0.25, 0.5, 0.95),
        glasses_round=float(rng.uniform(2.0, 5.0)),
        skin=skin,
        hair=np.minimum(_mixed(HAIRS, rng), 0.9 * skin),
        iris=_mixed(IRISES, rng),
        marks=_marks(rng),
    )


def _mixed(palette: NDArray[np.float64], rng: np.random.Generator) -> Colour:
    """A colour between two neighbours of the palette."""
    place = rng.uniform(0, len(palette) - 1)
    index = min(int(place), len(palette) - 2)
    mixed = palette[index] + (place - index) * (palette[index + 1] - palette[index])
    return np.asarray(mixed * rng.uniform(0.9, 1.08, 3), np.float32)


def _marks(rng: np.random.Generator) -> NDArray[Any]:
    """Up to three moles."""
    count = rng.integers(0, 4)
    low, high = (-0.5, -0.5, 0.018, 0.3), (0.5, 0.8, 0.035, 0.7)
    return rng.uniform(low, high, (count, 4)).astype(np.float32)
