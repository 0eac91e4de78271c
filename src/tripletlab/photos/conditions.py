"""What differs between two photos of one synthetic person."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Circumstance:
    """Pose, light, expression and camera; angles in radians, lengths in halves of the head."""

    yaw: float
    pitch: float
    roll: float
    scale: float  # of the photo's side, half the head's height
    shift: tuple[float, float]
    light: tuple[float, float, float]  # towards the light
    ambient: float
    warmth: float
    smile: float
    mouth_open: float
    brows: float
    blink: float
    gaze: float
    exposure: float
    gamma: float
    blur: float  # of the photo's side
    noise: float
    glasses: bool
    seed: int  # of background, clothes and grain


def draw_circumstance(rng: np.random.Generator) -> Circumstance:
    """What a snapshot is like: mostly frontal, since the paper's detector finds no profiles."""
    side, up = rng.normal(0, 0.6), rng.normal(-0.4, 0.4)
    light = np.array([side, up, 1.0])
    light /= np.linalg.norm(light)
    return Circumstance(
        yaw=float(np.clip(rng.normal(0, 0.19), -0.38, 0.38)),
        pitch=float(np.clip(rng.normal(0, 0.10), -0.22, 0.22)),
        roll=float(np.clip(rng.normal(0, 0.07), -0.16, 0.16)),
        scale=rng.uniform(0.33, 0.40),
        shift=(rng.normal(0, 0.03), rng.normal(0.0, 0.03)),
        light=(float(light[0]), float(light[1]), float(light[2])),
        ambient=rng.uniform(0.3, 0.65),
        warmth=rng.normal(0, 0.06),
        smile=rng.normal(0.15, 0.5),
        mouth_open=max(0.0, rng.normal(-0.3, 0.6)),
        brows=rng.normal(0, 0.03),
        blink=max(0.0, rng.normal(-0.1, 0.3)),
        gaze=rng.normal(0, 0.25),
        exposure=rng.uniform(0.75, 1.3),
        gamma=rng.uniform(0.8, 1.25),
        blur=rng.uniform(0.002, 0.009),
        noise=rng.uniform(0.004, 0.03),
        glasses=rng.random() < 0.85,
        seed=int(rng.integers(2**32)),
    )
