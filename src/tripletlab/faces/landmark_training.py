"""Trains the landmarks' regression on synthetic people.

`python -m tripletlab.faces.landmark_training` writes landmarks.npz anew, the same on every run; it
takes a few minutes.
"""

import functools
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.cropping import Grey, crop, grown
from tripletlab.faces.detection import Box, haar
from tripletlab.faces.landmarks import (
    BORDER,
    COEFFICIENTS,
    PATCH,
    LinearStage,
    Points,
    Regressor,
    describe,
    directions,
    save,
    to_patch,
)
from tripletlab.photos.conditions import draw_circumstance
from tripletlab.photos.head import landmarks
from tripletlab.photos.person import draw_person
from tripletlab.photos.rendering import render
from tripletlab.system.parallel import parallel_map
from tripletlab.system.progress import console

PEOPLE, PHOTOS, VARIANTS = 2000, 4, 3
STAGES = 5
SIZE = 128  # pixels of a photo
SEED = 20  # other people than those of conf/photos and conf/verification
RIDGE = 0.02  # of the features' mean square, times the examples

find = functools.partial(haar, scale_factor=1.1, min_neighbors=4, min_size=30)


class Known(NamedTuple):
    """A photo, the box that the cascade found in it, and where the landmarks are."""

    photo: Grey
    box: Box
    points: Points


class Example(NamedTuple):
    """A patch (72, 72) and its landmarks (8, 2), in its pixels."""

    patch: Grey
    points: Points


def draw(seed: list[int], *, photos: int, turns: float) -> list[Known]:
    """Photos of one synthetic person in which the cascade finds the face.

    `turns` multiplies the angles of the head.
    """
    person = draw_person(np.random.default_rng(seed))
    known = []
    for number in range(photos):
        shot = draw_circumstance(np.random.default_rng([*seed, number]))
        shot = replace(shot, yaw=shot.yaw * turns, pitch=shot.pitch * turns, roll=shot.roll * turns)
        photo = cv2.cvtColor(render(person, shot, size=SIZE), cv2.COLOR_RGB2GRAY)
        points = landmarks(person, shot, size=SIZE)
        boxes = find(photo)
        if boxes and _holds(boxes[0], points):
            known.append(Known(photo, boxes[0], points))
    return known


def train(examples: list[Example], *, stages: int) -> Regressor:
    """Each stage is a ridge regression of what is still missing."""
    wanted = np.stack([example.points for example in examples])
    gradients = [directions(example.patch) for example in examples]
    mean = wanted.mean(axis=0)
    points = np.repeat(mean[None], len(examples), axis=0)
    trained = []
    for _ in range(stages):
        features = np.stack(list(map(describe, gradients, points)))
        stage = _ridge(features, (wanted - points).reshape(len(examples), -1))
        points = points + (features @ stage.slope + stage.shift).reshape(wanted.shape)
        trained.append(stage)
    return Regressor(mean, tuple(trained))


def _ridge(features: NDArray[np.float32], missing: NDArray[Any]) -> LinearStage:
    middle, wanted = features.mean(axis=0), missing.mean(axis=0)
    centred = (features - middle).astype(np.float64)
    gram = centred.T @ centred
    gram[np.diag_indices_from(gram)] += RIDGE * gram.diagonal().mean()
    solved = np.linalg.solve(gram, centred.T @ (missing - wanted))
    slope = solved.astype(np.float16).astype(np.float32)  # as it will be kept
    return LinearStage(slope, (wanted - middle @ slope).astype(np.float32))


def _holds(box: Box, points: Points) -> bool:
    inside = (points > (box.x, box.y)) & (points < (box.x + box.side, box.y + box.side))
    return bool(inside.all())


def vary(known: Known, rng: np.random.Generator) -> Example:
    """The same face as another detector, camera or light would show it."""
    photo, box, points = known
    side = round(box.side * rng.uniform(0.88, 1.15))
    off = rng.normal(0, 0.04, 2) * box.side + (box.side - side) / 2
    wide = grown(Box(round(box.x + off[0]), round(box.y + off[1]), side), border=BORDER)
    patch, points = crop(photo, wide, size=PATCH), to_patch(points, wide)
    turn = cv2.getRotationMatrix2D((PATCH / 2, PATCH / 2), rng.normal(0, 7), 1.0)
    patch = cv2.warpAffine(patch, turn, (PATCH, PATCH), borderMode=cv2.BORDER_REPLICATE)
    points = points @ turn[:, :2].T + turn[:, 2]
    return Example(_developed(patch.astype(np.float32), rng), points)


def _developed(patch: NDArray[Any], rng: np.random.Generator) -> Grey:
    """Blurred, lit from a side, darker or paler, and with something in front."""
    patch = cv2.GaussianBlur(patch, (0, 0), rng.uniform(0.1, 1.6))
    across = np.linspace(-1, 1, PATCH, dtype=np.float32)
    shade = 1 + rng.normal(0, 0.25) * across[None, :] + rng.normal(0, 0.15) * across[:, None]
    patch = (patch - 128) * rng.uniform(0.5, 1.4) + 128 + rng.normal(0, 20)
    patch = patch * np.float32(shade) + rng.normal(0, rng.uniform(0, 6), patch.shape)
    if rng.random() < 0.2:
        corner, far = rng.integers(0, PATCH, 2), rng.integers(10, 28, 2)
        patch[corner[1] : corner[1] + far[1], corner[0] : corner[0] + far[0]] = rng.uniform(0, 255)
    return np.clip(patch, 0, 255).astype(np.uint8)


def examples_of(number: int) -> list[Example]:
    """What a worker does: one person's photos, each in some variants."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng([SEED, number, 1])
    known = draw([SEED, number], photos=PHOTOS, turns=1.4)
    return [vary(one, rng) for one in known for _ in range(VARIANTS)]


def _main() -> None:
    drawn = parallel_map(
        examples_of, range(PEOPLE), title="Drawing people with landmarks", size=lambda _: 1
    )
    examples = [example for person in drawn for example in person]
    save(COEFFICIENTS, train(examples, stages=STAGES))
    size = COEFFICIENTS.stat().st_size
    console().print(f"{COEFFICIENTS}: {size:,} bytes, trained on {len(examples):,} faces")


if __name__ == "__main__":
    _main()
