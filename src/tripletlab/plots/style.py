"""The paper that every PNG is drawn on: one size of type, one set of colours, one way to save."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from tripletlab.system.files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#6b7078"  # told apart by every eye (Okabe and Ito)
VERMILION = "#d55e00"


def sheet(width: float, height: float, *, title: str) -> "Figure":
    """An empty sheet, inches wide and high: no window, no pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, wrap=True)
    return figure


def plain(axes: "Axes") -> "Axes":
    """Two spines, a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return axes


def save(figure: "Figure", path: Path) -> None:
    """Write the PNG whole or not at all."""
    page = BytesIO()
    figure.savefig(page, format="png")
    write_whole(path, page.getvalue())
