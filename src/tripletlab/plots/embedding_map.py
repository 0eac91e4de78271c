"""Maps of embeddings before and after training: UMAP to the plane, the face at the pointer."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.plots.projection import Neighbours, Points
from tripletlab.system.files import write_whole

Faces = NDArray[np.uint8]  # (n, size, size)

# Paul Tol's "muted" colours, which every eye tells apart. Nine colours and five markers have no
# common divisor, so that 45 people get 45 different pairs of them.
COLOURS = (
    *("#332288", "#cc6677", "#44aa99", "#882255", "#88ccee"),
    *("#999933", "#aa4499", "#117733", "#ddcc77"),
)
MARKERS = {"circle": 9, "triangle": 10, "square": 8, "diamond": 13, "inverted_triangle": 10}
SAME, OTHER = "#0072b2", "#d55e00"  # frames of neighbours: the same person, somebody else
ACROSS = 20  # faces in a row of the sheet that holds them all
# Custom properties reach into the shadow root where Bokeh draws a tooltip; style sheets do not.
FACE = "display:inline-block;background:var(--faces);width:64px;height:64px"
TOOLTIP = f"""<div style="text-align:center;max-width:420px">
<div style="{FACE};background-position:@at;transform:scale(2);margin:34px 50px;
image-rendering:pixelated"></div><br><b>@name</b>
<div style="margin-top:6px;color:#4a5058">nearest faces, by squared distance</div>
<div style="white-space:nowrap">@NEAR{{safe}}</div></div>"""
CHOOSE = """
const chosen = new Set(kept.tags)
if (!chosen.delete(cb_obj.item.name)) chosen.add(cb_obj.item.name)
kept.tags = [...chosen]
for (const plot of plots)
  for (const one of plot.renderers)
    one.muted = chosen.size > 0 && !chosen.has(one.name)
"""
TURN = """
for (const one of sources)
  one.data = {...one.data, [x]: one.data[`frame_${slider.value}_x`],
    [y]: one.data[`frame_${slider.value}_y`]}
plot.title.text = slider.title = titles[slider.value]
"""
PLAY = """
let frame = slider.start
const next = () => { slider.value = frame; if (frame++ < slider.end) setTimeout(next, 900) }
next()
"""


class Map(NamedTuple):
    """A title, the points (n, 2), and the nearest faces of each."""

    title: str
    points: Points
    neighbours: Neighbours


class MapFrame(NamedTuple):
    """A snapshot of the training, and the points (n, 2) then."""

    title: str
    points: Points


def draw_map(
    maps: Sequence[Map],
    animation: Sequence[MapFrame],
    faces: Faces,
    names: Sequence[str],
    *,
    title: str,
    path: Path,
) -> None:
    """Write one HTML page that needs no network: the maps side by side, a look for each person.

    The face, its name and its nearest faces appear at the pointer, and its point is ringed in every
    map. A click on a name in the legend fades everybody else; further clicks add people or let
    them go. A slider moves the last map through the animation, which ends in it.
    """
    from bokeh.embed import file_html
    from bokeh.layouts import column, row
    from bokeh.models.widgets import Div
    from bokeh.resources import INLINE

    people = _people(maps, animation, names)
    plots = [_plot(people, place, one.title) for place, one in enumerate(maps)]
    _link_legends(plots)
    note = (
        "Point at a face to see it and who is next to it. Click names to fade everybody else."
        f" Frames: <b style='color:{SAME}'>the same person</b>,"
        f" <b style='color:{OTHER}'>somebody else</b>."
    )
    heading = Div(text=f"<h2 style='margin:0 0 4px'>{escape(title)}</h2>{note}")
    parts = [heading, *_controls(animation, plots[-1], list(people.values()), len(maps) - 1)]
    page = column(*parts, row(*plots, sizing_mode="stretch_width"), sizing_mode="stretch_width")
    # The first <head> is the page's own; Bokeh's scripts have more of them in their texts.
    head = f"<head><style>:root{{--faces:url({_sheet_of(faces)})}}</style>"
    write_whole(path, file_html(page, INLINE, title).replace("<head>", head, 1).encode())


def _people(
    maps: Sequence[Map], animation: Sequence[MapFrame], names: Sequence[str]
) -> dict[str, Any]:
    """A data source for each person; all maps share it, and so what the pointer is at."""
    from bokeh.models import ColumnDataSource

    points = {f"map_{place}": one.points for place, one in enumerate(maps)}
    points |= {f"frame_{place}": one.points for place, one in enumerate(animation)}
    neighbours = [_neighbour_faces(one.neighbours, names) for one in maps]
    people = {}
    for person in sorted(set(names)):
        rows = np.flatnonzero(np.array(names) == person)
        columns = {"name": [person] * len(rows), "at": [_at(row) for row in rows.tolist()]}
        for key, xy in points.items():
            columns |= {f"{key}_x": xy[rows, 0].tolist(), f"{key}_y": xy[rows, 1].tolist()}
        for place, texts in enumerate(neighbours):
            columns[f"near_{place}"] = [texts[row] for row in rows]
        people[person] = ColumnDataSource(columns)
    return people


def _neighbour_faces(neighbours: Neighbours, names: Sequence[str]) -> list[str]:
    """The neighbours of each face as HTML: framed faces with their distances and names."""

    def face(row: int, other: int, distance: float) -> str:
        colour = SAME if names[row] == names[other] else OTHER
        name = escape(names[other] if len(names[other]) <= 12 else names[other][:11] + "…")
        return (
            f'<span style="display:inline-block;margin:2px;font-size:10px;color:{colour}">'
            f'<span style="{FACE};background-position:{_at(other)};border:3px solid {colour}">'
            f"</span><br>{distance:.3f}<br>{name}</span>"
        )

    return [
        "".join(face(row, int(one), d) for one, d in zip(others, apart, strict=True))
        for row, (others, apart) in enumerate(
            zip(neighbours.rows, neighbours.distances, strict=True)
        )
    ]


def _plot(people: dict[str, Any], place: int, title: str) -> Any:
    from bokeh.models.annotations import Legend, LegendItem, Title
    from bokeh.models.tools import HoverTool
    from bokeh.plotting import figure

    plot = figure(
        title=Title(text=title, text_font_size="12pt"),
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
        LegendItem(name=person, label=person, renderers=[_scatter(plot, source, place, k)])
        for k, (person, source) in enumerate(people.items())
    ]
    tooltip = TOOLTIP.replace("NEAR", f"near_{place}")
    # A well-trained person is one heap of twenty faces: without a limit they fill the screen.
    plot.add_tools(HoverTool(tooltips=tooltip, muted_policy="ignore", limit=1))
    legend = Legend(items=items, ncols=2, location="center", border_line_color=None)
    legend.label_text_font_size = "9pt"
    plot.add_layout(legend, "below")
    return plot


def _scatter(plot: Any, source: Any, place: int, k: int) -> Any:
    marker = list(MARKERS)[k % len(MARKERS)]
    return plot.scatter(
        f"map_{place}_x",
        f"map_{place}_y",
        source=source,
        name=source.data["name"][0],
        marker=marker,
        size=MARKERS[marker],
        color=COLOURS[k % len(COLOURS)],
        line_color="white",
        line_width=0.5,
        hover_line_color="black",
        hover_line_width=2.5,
        muted_alpha=0.05,
    )


def _link_legends(plots: list[Any]) -> None:
    """A click in any legend acts on all maps; the first one's tags hold who is chosen."""
    from bokeh.models import CustomJS

    legends = [plot.legend[0] for plot in plots]
    choose = CustomJS(args={"plots": plots, "kept": legends[0]}, code=CHOOSE)
    for legend in legends:
        legend.js_on_event("legend_item_click", choose)


def _controls(
    animation: Sequence[MapFrame], plot: Any, sources: list[Any], place: int
) -> list[Any]:
    """A slider and a button that plays the animation; nothing where there is no animation."""
    if len(animation) < 2:
        return []
    from bokeh.layouts import row
    from bokeh.models import Button, CustomJS, Slider

    titles = [frame.title for frame in animation]
    slider = Slider(
        start=0,
        end=len(animation) - 1,
        value=len(animation) - 1,
        step=1,
        title=titles[-1],
        show_value=False,
    )
    button = Button(label="play the training", width=140)
    known = {"sources": sources, "plot": plot, "slider": slider, "titles": titles}
    turn = CustomJS(args={**known, "x": f"map_{place}_x", "y": f"map_{place}_y"}, code=TURN)
    slider.js_on_change("value", turn)
    button.js_on_click(CustomJS(args={"slider": slider}, code=PLAY))
    return [row(button, slider)]


def _at(row: int) -> str:
    """Where a face lies on the sheet of all of them, for CSS."""
    return f"{-64 * (row % ACROSS)}px {-64 * (row // ACROSS)}px"


def _sheet_of(faces: Faces) -> str:
    """All faces, 64 pixels wide each, as one picture."""
    sheet = np.zeros((-(-len(faces) // ACROSS) * 64, ACROSS * 64), np.uint8)
    for row, face in enumerate(faces):
        top, left = row // ACROSS * 64, row % ACROSS * 64
        sheet[top : top + 64, left : left + 64] = cv2.resize(np.ascontiguousarray(face), (64, 64))
    jpeg = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
