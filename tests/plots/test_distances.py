"""Histograms of distances: their bars, colours and thresholds."""

from pathlib import Path

import numpy as np
import pytest

from tests.plots.pictures import BLUE, ORANGE, near, read
from tripletlab.plots import distances as drawing
from tripletlab.plots.distances import MOST_BINS, draw_distances


def test_histograms_have_the_colours_of_both_kinds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    matched = np.tile([True, False], 300)
    distances = np.abs(rng.normal(np.where(matched, 1.0, 2.5), 0.3))
    path = tmp_path / "distances.png"
    draw_distances(distances, matched, np.full(10, 1.7), title="a run", path=path)
    image = read(path)
    blue = near(image[:, : image.shape[1] // 2], BLUE)
    assert blue > near(image[:, image.shape[1] // 2 :], BLUE)
    assert near(image, ORANGE) > 300
    draw_distances(np.zeros(600), matched, np.zeros(10), title="collapsed", path=path)
    read(path)


@pytest.fixture
def axes(monkeypatch: pytest.MonkeyPatch) -> list:
    """The axes of every figure that is saved, instead of its file."""
    kept: list = []
    monkeypatch.setattr(drawing, "save", lambda figure, path: kept.extend(figure.axes))
    return kept


def test_the_bars_count_every_pair_and_the_legend_says_how_many(axes: list, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    matched = rng.random(1500) < 0.3
    distances = rng.random(1500) * 3.9
    thresholds = np.array([1.25, 1.0, 1.5])
    draw_distances(distances, matched, thresholds, title="", path=tmp_path / "x.png")
    (one,) = axes
    labels = one.get_legend_handles_labels()[1]
    assert f"the same person: {matched.sum():,} pairs" in labels
    assert f"two people: {(~matched).sum():,} pairs" in labels
    assert "threshold 1.250 (1.000 to 1.500 over the 3 folds)" in labels
    edges = np.linspace(0, distances.max(), MOST_BINS + 1)
    tallest = max(np.histogram(distances[kind], edges)[0].max() for kind in (matched, ~matched))
    assert one.dataLim.y1 == pytest.approx(tallest)
    assert one.get_xlim() == (0, pytest.approx(distances.max()))


def test_few_pairs_have_few_bars_whole_counts_and_no_legend_over_them(
    axes: list, tmp_path: Path
) -> None:
    matched = np.arange(40) < 20
    distances = np.random.default_rng(0).random(40)
    draw_distances(distances, matched, np.ones(2), title="", path=tmp_path / "x.png")
    (one,) = axes
    edges = np.linspace(0, distances.max(), 13)
    tallest = max(np.histogram(distances[kind], edges)[0].max() for kind in (matched, ~matched))
    assert one.dataLim.y1 == pytest.approx(tallest)
    assert all(float(tick).is_integer() for tick in one.get_yticks())
    assert one.get_legend() is None
    assert len(one.figure.legends) == 1


@pytest.mark.parametrize("kind", [True, False])
def test_pairs_of_one_kind_alone_are_drawn(kind: bool, axes: list, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    draw_distances(np.ones(5), np.full(5, kind), np.ones(1), title="", path=path)
    assert sum(": 0 pairs" in one for one in axes[0].get_legend_handles_labels()[1]) == 1
