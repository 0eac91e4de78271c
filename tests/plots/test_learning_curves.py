"""Learning curves: which values are drawn, and where."""

from pathlib import Path

import numpy as np
import pytest

from tests.plots.pictures import GREY, ORANGE, centre, near, read
from tripletlab.evaluation.metrics import METRICS
from tripletlab.plots import learning_curves
from tripletlab.plots.learning_curves import PANELS, draw_learning


@pytest.fixture
def figures(monkeypatch):
    """The figures that would be written."""
    drawn = []
    monkeypatch.setattr(learning_curves, "save", lambda figure, path: drawn.append(figure))
    return drawn


def test_every_metric_of_every_epoch_is_drawn_and_the_kept_epoch_marked(figures, tmp_path):
    names = [name for _, metrics in PANELS for name in metrics]
    epochs = [{name: k + place / 10 for place, name in enumerate(names)} for k in range(1, 6)]
    del epochs[2][names[0]]  # an epoch that reported less
    draw_learning(epochs, best=4, title="a run", path=tmp_path / "x.png")
    (figure,) = figures
    for axes, (heading, metrics) in zip(figure.axes, PANELS, strict=True):
        assert axes.get_title() == heading
        *curves, kept = axes.lines
        assert list(kept.get_xdata()) == [4, 4]
        for curve, name in zip(curves, metrics, strict=True):
            assert curve.get_label() == METRICS[name].heading
            assert list(curve.get_xdata()) == [1, 2, 3, 4, 5]
            expected = [epoch.get(name, np.nan) for epoch in epochs]
            np.testing.assert_array_equal(curve.get_ydata(), expected)


def test_every_metric_of_the_panels_is_in_the_table_of_metrics():
    assert {name for _, metrics in PANELS for name in metrics} <= METRICS.keys()


def test_no_epoch_is_an_empty_figure(figures, tmp_path):
    draw_learning([], best=0, title="a run", path=tmp_path / "x.png")
    assert [len(line.get_xdata()) for line in figures[0].axes[0].lines[:-1]] == [0, 0]


@pytest.mark.parametrize("count", [1, 6])
def test_learning_curves_show_the_metrics_and_the_kept_epoch(tmp_path: Path, count: int) -> None:
    path, images = tmp_path / "learning.png", []
    training = {"train/triplet_loss": 0.5, "val/auc": 0.5}
    for metrics, best in ((training, 1), ({**training, "val/loss": 0.7}, 1), (training, count)):
        draw_learning([metrics] * count, best=best, title="a run", path=path)
        images.append(read(path))
    plain, with_loss, kept_last = images
    assert near(with_loss, ORANGE) > near(plain, ORANGE) + 20
    first, last = (centre(image, GREY) for image in (plain, kept_last))
    assert first < last - 8 if count > 1 else first == last
