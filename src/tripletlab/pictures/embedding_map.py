"""Maps of embeddings before and after training: UMAP to the plane, the face at the pointer."""

import base64
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.pictures.files import write_whole

Embeddings = NDArray[np.float32]  # (n, dim)
Points = NDArray[np.float32]  # (n, 2)
Faces = NDArray[np.uint8]  # (n, size, size)

FEWEST = 4  # below it there is no neighbourhood to keep
# Paul Tol's "muted" colours, which every eye tells apart. Nine colours and five markers have no
# common divisor, so that 45 people get 45 different pairs of them.
COLOURS = (
    *("#332288", "#cc6677", "#44aa99", "#882255", "#88ccee"),
    *("#999933", "#aa4499", "#117733", "#ddcc77"),
)
MARKERS = {"circle": 9, "triangle": 10, "square": 8, "diamond": 13, "inverted_triangle": 10}
TOOLTIP = """<div style="text-align:center"><img src="@picture" width="128" height="128"
 alt="" style="image-rendering:pixelated;border-radius:6px"><br><b>@name</b></div>"""
CHOOSE = """
const chosen = new Set(kept.tags)
if (!chosen.delete(cb_obj.item.name)) chosen.add(cb_obj.item.name)
kept.tags = [...chosen]
for (const plot of plots)
  for (const one of plot.renderers)
    one.muted = chosen.size > 0 && !chosen.has(one.name)
"""


def project(embeddings: Embeddings, *, seed: int) -> Points:
    """Embeddings to the plane (n, 2); the same seed gives the same map. ValueError below 4 rows."""
    if len(embeddings) < FEWEST:
        raise ValueError(f"a map needs {FEWEST} faces, not {len(embeddings)}")
    from umap import UMAP

    neighbours = min(15, len(embeddings) - 1)
    # Few points: a spectral start would ask for more eigenvectors than there are.
    start = "spectral" if len(embeddings) > 15 else "random"
    # UMAP warns that a seed means one job unless it is asked for one.
    umap = UMAP(n_neighbors=neighbours, init=start, random_state=seed, n_jobs=1)
    return np.asarray(umap.fit_transform(embeddings), np.float32)


def draw_map(
    before: Points, after: Points, faces: Faces, names: list[str], *, title: str, path: Path
) -> None:
    """Write one HTML page that needs no network: both maps, a colour and marker a person.

    The face and its name appear at the pointer, and its point is ringed in both maps. A click on
    a name in the legend fades everybody else, in both; further clicks add people or let them go.
    """
    from bokeh.embed import file_html
    from bokeh.layouts import column, row
    from bokeh.models.widgets import Div
    from bokeh.resources import INLINE

    people = _people(before, after, faces, names)
    plots = [_plot(people, when) for when in ("before", "after")]
    _link_legends(plots)
    note = "Point at a face to see it, here and there. Click names to fade everybody else."
    heading = Div(text=f"<h2 style='margin:0 0 4px'>{escape(title)}</h2>{note}")
    page = column(heading, row(*plots, sizing_mode="stretch_width"), sizing_mode="stretch_width")
    write_whole(path, file_html(page, INLINE, title).encode())


def _people(before: Points, after: Points, faces: Faces, names: list[str]) -> dict[str, Any]:
    """A data source for each person; both maps share it, and so what the pointer is at."""
    from bokeh.models import ColumnDataSource

    pictures = np.array([_data_uri(face) for face in faces], dtype=object)
    people = {}
    for person in sorted(set(names)):
        rows = np.flatnonzero(np.array(names) == person)
        columns = {"name": [person] * len(rows), "picture": pictures[rows].tolist()}
        for when, points in (("before", before), ("after", after)):
            columns |= {
                f"{when}_x": points[rows, 0].tolist(),
                f"{when}_y": points[rows, 1].tolist(),
            }
        people[person] = ColumnDataSource(columns)
    return people


def _plot(people: dict[str, Any], when: str) -> Any:
    from bokeh.models.annotations import Legend, LegendItem, Title
    from bokeh.models.tools import HoverTool
    from bokeh.plotting import figure

    plot = figure(
        title=Title(text=f"{when} training", text_font_size="12pt"),
        height=720,
        sizing_mode="stretch_width",
        tools="pan,wheel_zoom,box_zoom,reset,save",
        active_scroll="wheel_zoom",
        match_aspect=True,
    )
    plot.toolbar.logo = None
    plot.axis.visible = False
    plot.grid.grid_line_alpha = 0.4
    items = [
        LegendItem(name=person, label=person, renderers=[_scatter(plot, source, when, place)])
        for place, (person, source) in enumerate(people.items())
    ]
    # A well-trained person is one heap of twenty faces: without a limit they fill the screen.
    plot.add_tools(HoverTool(tooltips=TOOLTIP, muted_policy="ignore", limit=3))
    legend = Legend(items=items, ncols=3, location="center", border_line_color=None)
    legend.label_text_font_size = "9pt"
    plot.add_layout(legend, "below")
    return plot


def _scatter(plot: Any, source: Any, when: str, place: int) -> Any:
    marker = list(MARKERS)[place % len(MARKERS)]
    return plot.scatter(
        f"{when}_x",
        f"{when}_y",
        source=source,
        name=source.data["name"][0],
        marker=marker,
        size=MARKERS[marker],
        color=COLOURS[place % len(COLOURS)],
        line_color="white",
        line_width=0.5,
        hover_line_color="black",
        hover_line_width=2.5,
        muted_alpha=0.05,
    )


def _link_legends(plots: list[Any]) -> None:
    """A click in either legend acts on both maps; the first one's tags hold who is chosen."""
    from bokeh.models import CustomJS

    legends = [plot.legend[0] for plot in plots]
    choose = CustomJS(args={"plots": plots, "kept": legends[0]}, code=CHOOSE)
    for legend in legends:
        legend.js_on_event("legend_item_click", choose)


def _data_uri(face: NDArray[np.uint8]) -> str:
    png = cv2.imencode(".png", face)[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(png).decode()
