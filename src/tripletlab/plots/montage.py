"""Faces as tiles of one picture; pairs of them side by side, with their distance below."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from tripletlab.faces.cropping import Grey
from tripletlab.plots.style import ORANGE, save, sheet

COLUMNS, ROWS = 4, 5  # of pairs in a panel
MOST = COLUMNS * ROWS
NONE = "none"  # in a panel without pairs
SIDE = 64  # pixels of a shown face
GAP, CAPTION = 10, 34  # pixels between pairs, and for the text below them
LONGEST = 19  # characters of a caption


class Shown(NamedTuple):
    """Two faces, the lines below them, and whether each is only the middle of its photo."""

    faces: tuple[Grey, Grey]
    lines: tuple[str, str, str]
    middle: tuple[bool, bool]


class Panel(NamedTuple):
    """At most 4 × 5 pairs under a heading, perhaps none."""

    heading: str
    pairs: Sequence[Shown]


def draw_montage(panels: Sequence[Panel], *, title: str, path: Path) -> None:
    """Write a PNG of the panels side by side; faces that were not found are framed."""
    framed = any(any(pair.middle) for panel in panels for pair in panel.pairs)
    note = "\nframed: no face was found, this is the middle of the photo" if framed else ""
    rows = max(1, *(-(-len(panel.pairs) // COLUMNS) for panel in panels))
    height = 1.2 + rows * (SIDE + CAPTION + GAP) / 78
    figure = sheet(7.2 * len(panels), height, title=title + note)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, panel, rows)
    save(figure, path)


def tiled(
    rows: Sequence[Sequence[Grey]], *, columns: int, cell: tuple[int, int] = (SIDE, SIDE)
) -> Grey:
    """Rows of pictures on white, each at the top left of its cell (height, width) in pixels."""
    height, width = cell
    canvas = np.full((len(rows) * height, columns * width), 255, np.uint8)
    for down, row in enumerate(rows):
        for right, picture in enumerate(row):
            top, left = down * height, right * width
            canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def fitted(picture: Grey) -> Grey:
    """The picture as large as fits into SIDE × SIDE pixels."""
    scale = SIDE / max(picture.shape)
    size = [max(1, round(side * scale)) for side in picture.shape[::-1]]
    shrunk = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8)


def shorten(text: str) -> str:
    """Shorten a long name in its middle: the number of the photo is at its end."""
    return text if len(text) <= LONGEST else f"{text[:10]}…{text[-(LONGEST - 11) :]}"


def _draw(axes: Any, panel: Panel, rows: int) -> None:
    from matplotlib.patches import Rectangle

    width, height = 2 * SIDE + GAP, SIDE + CAPTION + GAP
    pairs = [np.hstack([fitted(face) for face in pair.faces]) for pair in panel.pairs]
    lines = [pairs[COLUMNS * row : COLUMNS * (row + 1)] for row in range(rows)]
    canvas = tiled(lines, columns=COLUMNS, cell=(height, width))
    for place, pair in enumerate(panel.pairs):
        top, left = place // COLUMNS * height, place % COLUMNS * width
        for side, middle in enumerate(pair.middle):
            if middle:
                corner = left + side * SIDE + 1, top + 1
                frame = Rectangle(corner, SIDE - 3, SIDE - 3, fill=False)
                frame.set(edgecolor=ORANGE, linewidth=2)
                axes.add_patch(frame)
        for line, text in enumerate(pair.lines):
            y, bold = top + SIDE + 3 + 11 * line, "bold" if line == 0 else "normal"
            words = axes.text(left + SIDE, y, text, ha="center", va="top", fontsize=8, weight=bold)
            words.set_in_layout(False)  # they fit; measuring them would take most of the time
    if not panel.pairs:
        axes.text(canvas.shape[1] / 2, canvas.shape[0] / 2, NONE, ha="center")
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(panel.heading, fontsize=10)
    axes.axis("off")
