"""What the tests of pictures share: a store of plain faces, and colours counted in a PNG."""

from pathlib import Path

import cv2
import numpy as np

from tripletlab.faces.store import PairStore
from tripletlab.photos.pairs import Pairs

WHITE = 250
BLUE, ORANGE, GREY = (178, 114, 0), (0, 159, 230), (120, 112, 107)  # BGR, as cv2 reads


def pair_store(faces: int = 30) -> PairStore:
    """Faces of one grey each, so that they are found again in a picture; pairs of neighbours."""
    rng = np.random.default_rng(0)
    images = np.repeat(np.arange(faces) * 8 % 256, 64 * 64).reshape(faces, 64, 64).astype(np.uint8)
    pairs = Pairs(
        np.arange(faces),
        (np.arange(faces) + 1) % faces,
        rng.random(faces) < 0.5,
        np.arange(faces) % 2,
    )
    fallback = np.arange(faces) == 3
    names = tuple(f"Person_With_A_Long_Name_{row}" for row in range(faces))
    sources = tuple(f"tree/{name}/{name}_0001.jpg" for name in names)
    rows = np.arange(4)
    return PairStore("blobs", images, names, names, sources, fallback, pairs, rows, {}, "0", {})


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert (border > WHITE).all()  # nothing runs out of the picture
    return image


def near(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    """Pixels of a colour."""
    return int((np.abs(image.astype(int) - colour).max(axis=2) < 12).sum())


def centre(image: np.ndarray, colour: tuple[int, int, int]) -> float:
    """The mean column of the pixels of a colour."""
    return float(np.nonzero(np.abs(image.astype(int) - colour).max(axis=2) < 12)[1].mean())
