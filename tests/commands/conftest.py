"""Photos for a command, and the words that prepare them."""

import cv2
import numpy as np
import pytest

CROPPED = [
    "photos=folder",
    "photos.cropped=[people]",
    "verification=heldout",
    "verification.folds=2",
    "verification.fraction=0.4",
    "faces.validation_fraction=0.2",
]


@pytest.fixture
def people(tmp_path):
    """Twelve people with ten noisy pictures each; they are taken as cropped faces."""
    rng = np.random.default_rng(0)
    for name in (
        "Ann",
        "Bob",
        "Cid",
        "Dee",
        "Eve",
        "Fay",
        "Gil",
        "Hal",
        "Ida",
        "Jon",
        "Kim",
        "Lea",
    ):
        (tmp_path / "people" / name).mkdir(parents=True)
        for number in range(10):
            noise = rng.integers(0, 255, (70, 70), np.uint8)
            cv2.imwrite(str(tmp_path / "people" / name / f"{name}_{number:04d}.png"), noise)
    return tmp_path / "people"
