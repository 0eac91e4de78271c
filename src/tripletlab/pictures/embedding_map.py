"""Maps of embeddings: UMAP to the plane, before and after training, with the face at the pointer."""

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]  # (n, dim)
Points = NDArray[np.float32]  # (n, 2)

FEWEST = 4  # below it there is no neighbourhood to keep
MARKERS = ("circle", "triangle", "square", "diamond", "inverted_triangle")
TOOLTIP = """<div style="text-align:center"><img src="@picture" width="128" height="128"
 style="image-rendering:auto;border-radius:6px"><br><b>@name</b></div>"""


def project(embeddings: Embeddings, *, seed: int) -> Points:
    """Embeddings to the plane (n, 2); the same seed gives the same map. ValueError below 4 rows."""
    if len(embeddings) < FEWEST:
        raise ValueError(f"a map needs {FEWEST} faces, not {len(embeddings)}")
    from umap import UMAP

    neighbours = min(15, len(embeddings) - 1)
    # Few points: a spectral start would ask for more eigenvectors than there are.
    start = "spectral" if len(embeddings) > 15 else "random"
    umap = UMAP(n_neighbors=neighbours, init=start, random_state=seed, n_jobs=1)
    return np.asarray(umap.fit_transform(embeddings), np.float32)


def draw_map(
    before: Points,
    after: Points,
    faces: NDArray[np.uint8],
    names: list[str],
    *,
    title: str,
    path: Path,
) -> None:
    """Write one HTML page that needs no network: both maps, a colour and marker a person.

    `faces` (n, size, size) appear at the pointer; a click in the legend mutes a person in both.
    """
    from bokeh.embed import file_html
    from bokeh.layouts import column, row
    from bokeh.models import Div
    from bokeh.resources import INLINE

    pictures = [_data_uri(face) for face in faces]
    plots = [
        _plot(points, names, pictures, heading=heading, legend=heading == "after training")
        for points, heading in ((before, "before training"), (after, "after training"))
    ]
    for one, other in zip(plots[0].renderers, plots[1].renderers, strict=True):
        other.js_link("muted", one, "muted")
    note = "Point at a face to see it. Click a name to fade that person."
    heading = Div(text=f"<h2 style='margin:0'>{title}</h2>{note}")
    page = column(heading, row(*plots, sizing_mode="stretch_width"), sizing_mode="stretch_width")
    path.write_text(file_html(page, INLINE, title))


def _plot(
    points: Points, names: list[str], pictures: list[str], *, heading: str, legend: bool
) -> Any:
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.palettes import Category20
    from bokeh.plotting import figure

    plot = figure(
        title=heading,
        height=620,
        sizing_mode="stretch_width",
        tools="pan,wheel_zoom,box_zoom,reset,save",
        active_scroll="wheel_zoom",
        match_aspect=True,
    )
    plot.add_tools(HoverTool(tooltips=TOOLTIP))
    plot.axis.visible = False
    people = sorted(set(names))
    for place, person in enumerate(people):
        rows = [row for row, name in enumerate(names) if name == person]
        source = ColumnDataSource(
            {
                "x": points[rows, 0],
                "y": points[rows, 1],
                "name": [person] * len(rows),
                "picture": [pictures[row] for row in rows],
            }
        )
        plot.scatter(
            "x",
            "y",
            source=source,
            size=9,
            marker=MARKERS[place % len(MARKERS)],
            color=Category20[20][place % 20],
            line_color="white",
            line_width=0.5,
            muted_alpha=0.08,
            **({"legend_label": person} if legend else {}),
        )
    if legend:
        plot.add_layout(plot.legend[0], "right")
        plot.legend.click_policy = "mute"
        plot.legend.label_text_font_size = "9pt"
    return plot


def _data_uri(face: NDArray[np.uint8]) -> str:
    png = cv2.imencode(".png", face)[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(png).decode()
