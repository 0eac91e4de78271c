"""Learning curves: the metrics of every epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tripletlab.evaluation.metrics import METRICS
from tripletlab.plots.style import BLUE, GREY, ORANGE, plain, save, sheet

PANELS = (  # title, and the metrics in it
    ("triplet loss", ("train/triplet_loss", "val/loss")),
    ("validation AUC", ("val/auc",)),
    ("kept and active fraction", ("train/active", "train/kept")),
    ("mean squared distance", ("val/mean_distance",)),
)
LINES = ({"color": BLUE, "marker": "o"}, {"color": ORANGE, "marker": "s", "linestyle": "--"})


def draw_learning(
    epochs: Sequence[Mapping[str, float]], *, best: int, title: str, path: Path
) -> None:
    """Write a PNG of the metrics of every epoch; `best`, from 1, is the kept one."""
    from matplotlib.ticker import MaxNLocator

    figure = sheet(11.4, 6.4, title=title)
    numbers = np.arange(1, len(epochs) + 1)
    for axes, (heading, metrics) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
        plain(axes).set_title(heading, fontsize=10)
        for metric, line in zip(metrics, LINES, strict=False):
            values = [epoch.get(metric, np.nan) for epoch in epochs]
            axes.plot(numbers, values, label=METRICS[metric].heading, markersize=4, **line)
        axes.axvline(best, color=GREY, linestyle=":", label=f"epoch {best}, kept")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, fontsize=9)
    save(figure, path)
