"""What all figures share: the sheet, the palette, and how they are saved."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from tripletlab.system.files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours: distinguishable with any colour vision.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
BLUE, ORANGE, _, _, _, VERMILION = PALETTE
GREY = "#6b7078"


def sheet(width: float, height: float, *, title: str) -> "Figure":
    """An empty figure of this width and height in inches, without pyplot and its windows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, wrap=True)
    return figure


def plain(axes: "Axes") -> "Axes":
    """The axes with two spines and a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return axes


def save(figure: "Figure", path: Path) -> None:
    """Write a PNG atomically; a `$` in a name is a `$`."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if isinstance(text, Text):  # those of ticks are empty until they are drawn
            text.set_text(text.get_text().replace("$", r"\$"))
    page = BytesIO()
    figure.savefig(page, format="png")
    write_whole(path, page.getvalue())
