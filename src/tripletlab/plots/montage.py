"""Pairs of faces on a sheet, as a person judges them: side by side, with the distance below."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.plots.style import ORANGE, save, sheet

COLUMNS, ROWS = 4, 5
SIDE = 64  # pixels of a shown face
GAP, CAPTION = 10, 34  # pixels between pairs, and for the text below them
LONGEST = 19  # letters of a caption


class Shown(NamedTuple):
    """Two faces (size, size), what stands below them, and which of them is but a photo's middle."""

    faces: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    lines: tuple[str, str, str]
    middle: tuple[bool, bool]


class Panel(NamedTuple):
    """At most 4 × 5 pairs under a heading; `empty` is written where there is none."""

    heading: str
    pairs: Sequence[Shown]
    empty: str


def draw_montage(panels: Sequence[Panel], *, title: str, path: Path) -> None:
    """Write a PNG of the panels side by side. A face that was not found is framed."""
    framed = any(any(pair.middle) for panel in panels for pair in panel.pairs)
    note = "\nframed: no face was found there, it is the middle of the photo" if framed else ""
    rows = max(1, *(-(-len(panel.pairs) // COLUMNS) for panel in panels))
    height = 1.2 + rows * (SIDE + CAPTION + GAP) / 78
    figure = sheet(7.2 * len(panels), height, title=title + note)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, panel, rows)
    save(figure, path)


def shorten(text: str) -> str:
    """The end of a long name matters: the number of the photo stands there."""
    return text if len(text) <= LONGEST else f"{text[:10]}…{text[-(LONGEST - 11) :]}"


def _draw(axes: Any, panel: Panel, rows: int) -> None:
    import cv2
    from matplotlib.patches import Rectangle

    width, height = 2 * SIDE + GAP, SIDE + CAPTION + GAP
    canvas = np.full((rows * height, COLUMNS * width), 255, np.uint8)
    for place, pair in enumerate(panel.pairs):
        top, left = place // COLUMNS * height, place % COLUMNS * width
        for side, (face, middle) in enumerate(zip(pair.faces, pair.middle, strict=True)):
            x = left + side * SIDE
            shown = cv2.resize(np.ascontiguousarray(face), (SIDE, SIDE))
            canvas[top : top + SIDE, x : x + SIDE] = shown
            if middle:
                frame = Rectangle((x + 1, top + 1), SIDE - 3, SIDE - 3, fill=False)
                frame.set(edgecolor=ORANGE, linewidth=2)
                axes.add_patch(frame)
        for line, text in enumerate(pair.lines):
            y, bold = top + SIDE + 3 + 11 * line, "bold" if line == 0 else "normal"
            words = axes.text(
                left + SIDE, y, text, ha="center", va="top", fontsize=5.5, weight=bold
            )
            words.set_in_layout(False)  # they stand inside; measuring them takes most of the time
    if not panel.pairs:
        axes.text(canvas.shape[1] / 2, canvas.shape[0] / 2, panel.empty, ha="center")
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(panel.heading, fontsize=10)
    axes.axis("off")
