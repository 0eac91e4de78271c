"""The page of maps of embeddings before and after training, with the face at the pointer."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.plots.montage import fitted, tiled
from tripletlab.plots.page import embedded_jpeg, template
from tripletlab.plots.projection import Neighbours, Points
from tripletlab.plots.style import BLUE, VERMILION
from tripletlab.system.files import write_whole

Faces = NDArray[np.uint8]  # (n, size, size)

# Paul Tol's "muted" colours, distinguishable with any colour vision: the figures' palette has too
# few. Nine colours and five markers have no common divisor, so that 45 people get different pairs.
COLOURS = (
    *("#332288", "#cc6677", "#44aa99", "#882255", "#88ccee"),
    *("#999933", "#aa4499", "#117733", "#ddcc77"),
)
MARKERS = {"circle": 9, "triangle": 10, "square": 8, "diamond": 13, "inverted_triangle": 10}
SAME, OTHER = BLUE, VERMILION  # frames of neighbours: the same person, another
ACROSS = 20  # faces in a row of the picture that holds them all
# Bokeh draws tooltips in a shadow root, which custom properties reach and style sheets do not.
FACE = "display:inline-block;background:var(--faces);width:64px;height:64px"
TOOLTIP = f"""<div style="text-align:center;max-width:420px">
<div style="{FACE};background-position:@at;transform:scale(2);margin:34px 50px;
image-rendering:pixelated"></div><br><b>@name</b>
<div style="margin-top:6px;color:#4a5058">nearest faces WHEN, by squared distance</div>
<div style="white-space:nowrap">@NEAR{{safe}}</div></div>"""
LEAD = (
    "Point at a face to see it with its nearest faces: framed in blue those of the same person, in"
    " orange those of others. Click names in the legend to fade everybody else."
)
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
clearTimeout(window.playing)  // of an earlier click
let frame = slider.start
const next = () => {
  slider.value = frame
  if (frame++ < slider.end) window.playing = setTimeout(next, 900)
}
next()
"""


class Map(NamedTuple):
    """A map: its title, the points (n, 2), and each one's nearest faces."""

    title: str
    points: Points
    neighbours: Neighbours


class MapFrame(NamedTuple):
    """A frame of the animation: its title, and the points (n, 2) after some epoch."""

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
    """Write one self-contained HTML page with the maps side by side, or below each other.

    `faces` (n, size, size) and `names` (n,) belong to the points. The face at the pointer appears
    with its name and nearest faces, and its point is ringed in every map. A click on a name in the
    legend fades all others; further clicks add or remove people. A slider moves the last map
    through `animation`, whose last frame is that map.
    """
    from bokeh.embed import file_html
    from bokeh.resources import INLINE

    people = _people(maps, animation, names)
    plots = [_plot(people, place, one.title) for place, one in enumerate(maps)]
    _link_legends(plots)
    roots = [*_controls(animation, plots[-1], list(people.values()), len(maps) - 1), *plots]
    rows = [[fitted(face) for face in faces[k : k + ACROSS]] for k in range(0, len(faces), ACROSS)]
    known = {"lead": LEAD, "faces": embedded_jpeg(tiled(rows, columns=ACROSS))}
    page = file_html(
        roots, INLINE, title, template=template("map.html.j2"), template_variables=known
    )
    write_whole(path, page.encode())


def _people(
    maps: Sequence[Map], animation: Sequence[MapFrame], names: Sequence[str]
) -> dict[str, Any]:
    """A data source for each person; the maps share it, and so the point under the pointer."""
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
        "".join(
            face(row, int(one), distance) for one, distance in zip(others, distances, strict=True)
        )
        for row, (others, distances) in enumerate(
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
    # The animation moves the points, and the neighbours remain those of the map's own embeddings.
    tooltip = TOOLTIP.replace("NEAR", f"near_{place}").replace("WHEN", escape(title))
    # The faces of a person may lie in one heap: without a limit their tooltips fill the screen.
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
    """A click in any legend acts on all maps; the tags of the first hold the chosen names."""
    from bokeh.models import CustomJS

    legends = [plot.legend[0] for plot in plots]
    choose = CustomJS(args={"plots": plots, "kept": legends[0]}, code=CHOOSE)
    for legend in legends:
        legend.js_on_event("legend_item_click", choose)


def _controls(
    animation: Sequence[MapFrame], plot: Any, sources: list[Any], place: int
) -> list[Any]:
    """A slider and a button that plays the animation; nothing where there is none."""
    if len(animation) < 2:
        return []
    from bokeh.layouts import row
    from bokeh.models import Button, CustomJS, Slider

    titles = [frame.title for frame in animation]
    slider = Slider(
        sizing_mode="stretch_width",
        max_width=300,
        margin=(5, 15, 5, 5),  # the handle reaches beyond the bar
        start=0,
        end=len(animation) - 1,
        value=len(animation) - 1,
        step=1,
        title=titles[-1],
        show_value=False,
    )
    button = Button(label="Play the training", width=140)
    known = {"sources": sources, "plot": plot, "slider": slider, "titles": titles}
    turn = CustomJS(args={**known, "x": f"map_{place}_x", "y": f"map_{place}_y"}, code=TURN)
    slider.js_on_change("value", turn)
    button.js_on_click(CustomJS(args={"slider": slider}, code=PLAY))
    styles = {"grid-column": "1 / -1"}
    return [row(button, slider, sizing_mode="stretch_width", styles=styles)]


def _at(row: int) -> str:
    """The CSS position of a face on the picture that holds them all."""
    return f"{-64 * (row % ACROSS)}px {-64 * (row // ACROSS)}px"
