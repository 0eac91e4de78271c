"""The picture of the ROC curves: what is on it, where it can be measured."""

from pathlib import Path

import cv2
import numpy as np

from tripletlab.evaluation.protocol import evaluate
from tripletlab.plots.roc import draw_roc

WHITE = 250


def picture(path: Path, gap: float) -> np.ndarray:
    """The PNG for 1,200 pairs whose mismatched distances are `gap` larger on average."""
    rng = np.random.default_rng(0)
    matched = np.tile([True, False], 600)
    distances = rng.normal(np.where(matched, 1.5, 1.5 + gap), 0.3)
    fold = np.arange(1200) // 120
    draw_roc(distances, matched, fold, evaluate(distances, matched, fold), title="a run", path=path)
    image = cv2.imread(str(path))
    assert image is not None
    return image


def bold_centre(image: np.ndarray) -> float:
    """How high the mean curve stands, as a fraction from the top: the blue pixels' mean row."""
    blue, green, red = (image[..., channel].astype(int) for channel in range(3))
    rows = np.flatnonzero(((blue > 150) & (red < 60) & (green < 150))[: image.shape[0] * 3 // 4])
    return float((rows // image.shape[1]).mean() / image.shape[0])


def test_a_better_model_has_a_higher_curve(tmp_path: Path) -> None:
    weak = picture(tmp_path / "weak.png", gap=0.2)
    strong = picture(tmp_path / "strong.png", gap=0.8)
    assert weak.shape == strong.shape
    assert min(weak.shape[:2]) > 700
    assert bold_centre(strong) < bold_centre(weak) - 0.05


def test_nothing_but_the_picture_is_written(tmp_path: Path) -> None:
    image = picture(tmp_path / "roc.png", gap=0.4)
    assert [path.name for path in tmp_path.iterdir()] == ["roc.png"]
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert (border > WHITE).all()  # nothing runs out of the picture


def test_the_same_distances_give_the_same_picture(tmp_path: Path) -> None:
    one, other = (picture(tmp_path / name, gap=0.4) for name in ("one.png", "other.png"))
    np.testing.assert_array_equal(one, other)
