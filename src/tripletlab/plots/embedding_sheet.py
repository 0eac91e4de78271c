"""The maps of embeddings as a PNG, for where the page cannot be shown."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tripletlab.plots.embedding_map import COLOURS, Map
from tripletlab.plots.style import plain, save, sheet

MARKERS = "o^sDv"


def draw_map_sheet(maps: Sequence[Map], names: Sequence[str], *, title: str, path: Path) -> None:
    """Write a PNG: the maps side by side, each person drawn as on the page."""
    people = sorted(set(names))
    figure = sheet(6.2 * len(maps), 7.4, title=title)
    for axes, one in zip(figure.subplots(1, len(maps), squeeze=False)[0], maps, strict=True):
        for k, person in enumerate(people):
            points = one.points[np.array(names) == person]
            style = {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k % len(MARKERS)]}
            axes.scatter(*points.T, s=28, edgecolor="white", linewidth=0.4, label=person, **style)
        plain(axes).set_title(one.title, fontsize=10)
        axes.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")  # one scale for both
        axes.set_box_aspect(1)
    # The names are given: matplotlib finds none that begins with an underscore.
    handles = axes.collections
    figure.legend(handles, people, loc="outside lower center", ncols=5, frameon=False, fontsize=8)
    save(figure, path)
