"""Drawn people whose faces the cascade finds, in trees made for one test."""

import functools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.faces.people import ALLOWING
from tripletlab.faces.alignment import none
from tripletlab.faces.cleaning import Cleaning
from tripletlab.faces.detection import haar
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.recipe import FaceRecipe
from tripletlab.photos.sources import TrainingPhotos
from tripletlab.photos.tree import Tree

Photo = NDArray[np.uint8]
NOTHING = Cleaning(
    min_side=None,
    min_sharpness=None,
    max_empty=None,
    max_letters=None,
    min_second=None,
    max_same_bits=None,
)


def draw(person: int, number: int) -> Photo:
    """A photo (96, 96) of a crude face: eyes, brows, nose and mouth on a bright oval."""
    who, now = np.random.default_rng(person), np.random.default_rng([person, number])
    gap, iris, mouth = who.uniform((12, 4, 9), (15, 6, 14))
    x, y = now.uniform(45, 51, 2)
    photo = np.full((96, 96), 60, np.uint8)

    def oval(right: float, down: float, width: float, height: float, grey: int) -> None:
        where, axes = (int(x + right), int(y + down)), (int(width), int(height))
        cv2.ellipse(photo, where, axes, 0, 0, 360, grey, -1)

    oval(0, 0, 29, 39, 190)
    for side in (-gap, gap):
        oval(side, -16, 8, 2, 70)
        oval(side, -9, 9, 5, 110)
        oval(side, -8, iris, 3, 40)
    oval(0, 3, 3, 10, 215)
    oval(0, 13, 6, 2, 110)
    oval(0, 23, mouth, 3, 80)
    soft = cv2.GaussianBlur(photo, (0, 0), 1.5)
    return np.clip(soft + now.normal(0, 3, soft.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def drawn() -> Callable[[int, int], Photo]:
    return draw


@pytest.fixture
def grow(tmp_path: Path) -> Callable[..., Path]:
    """Make a tree of photos: `grow("tree", {"Ann": 3})`; the same name is the same face."""

    def make(tree: str, people: dict[str, int]) -> Path:
        for name, photos in people.items():
            folder = tmp_path / tree / name
            folder.mkdir(parents=True)
            for number in range(1, photos + 1):
                photo = draw(sum(map(ord, name)), number)
                cv2.imwrite(str(folder / f"{name}_{number:04d}.png"), photo)
        return tmp_path / tree

    return make


@pytest.fixture
def recipe() -> FaceRecipe:
    return FaceRecipe(
        size=32,
        detector=functools.partial(haar, scale_factor=1.1, min_neighbors=4, min_size=30),
        aligner=none,
        cleaning=NOTHING,
        border=0,
        fallback=0.5,
        min_photos=3,
        max_photos=None,
        validation_fraction=0.3,
        validation_pairs=20,
        seed=1,
    )


@pytest.fixture
def prepare(tmp_path, recipe):
    """Prepare trees of `tmp_path`; a name that ends in a star is a tree of cropped faces."""

    def run(
        *trees,
        recipe=recipe,
        hygiene=ALLOWING,
        people=None,
        heldout=None,
        fresh=False,
        folder="data",
    ):
        photos = [
            Tree(name.strip("*"), (tmp_path / name.strip("*"),), cropped=name.endswith("*"))
            for name in trees
        ]
        return prepare_faces(
            TrainingPhotos("photos", tuple(photos)),
            recipe,
            hygiene=hygiene,
            verification_people=people or {},
            heldout=heldout,
            settings={"size": recipe.size, "max_photos": recipe.max_photos},
            folder=tmp_path / folder,
            fresh=fresh,
        )

    return run
