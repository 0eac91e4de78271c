"""Histograms of the pairs' distances, with the thresholds."""

from pathlib import Path

import numpy as np

from tripletlab.evaluation.protocol import Distances, Flags
from tripletlab.plots.style import BLUE, ORANGE, plain, save, sheet

FEWEST_BINS, MOST_BINS = 10, 60


def draw_distances(
    distances: Distances, matched: Flags, thresholds: Distances, *, title: str, path: Path
) -> None:
    """Write a PNG: histograms of matched and mismatched pairs, and the folds' thresholds."""
    from matplotlib.ticker import MaxNLocator

    figure = sheet(8.4, 4.8, title=title)
    axes = plain(figure.subplots())
    bins = int(np.clip(2 * len(distances) ** 0.5, FEWEST_BINS, MOST_BINS))
    edges = np.linspace(0, max(float(distances.max()), 1e-6), bins + 1).tolist()
    for kind, colour, label, hatch in (
        (matched, BLUE, "the same person", None),
        (~matched, ORANGE, "two people", "////"),
    ):
        label = f"{label}: {np.count_nonzero(kind):,} pairs"
        axes.hist(
            distances[kind],
            bins=edges,
            histtype="stepfilled",
            facecolor=(colour, 0.45),
            edgecolor=colour,
            linewidth=1.5,
            hatch=hatch,
            label=label,
        )
    low, mean, high = thresholds.min(), thresholds.mean(), thresholds.max()
    label = f"threshold {mean:.3f} ({low:.3f} to {high:.3f} over the {len(thresholds)} folds)"
    axes.axvline(mean, color="black", linewidth=1.6, label=label)
    axes.axvspan(low, high, color="black", alpha=0.12)
    axes.set(xlabel="squared distance", ylabel="pairs", xlim=(0, edges[-1]))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    save(figure, path)
