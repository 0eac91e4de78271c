"""Pages: tables, pictures and charts in one self-contained HTML file, or in Markdown.

All share one stylesheet and template, for light and dark and for narrow screens.
"""

import functools
import json
from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from numpy.typing import NDArray

from tripletlab.system.files import write_whole

WIDE = 1200  # pixels; pictures of one panel have fewer


class PageTable(NamedTuple):
    """A table under its title; `note` is the text between them.

    `marked` are the positions of highlighted rows; columns of `figures` are aligned to the right.
    """

    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    marked: Collection[int] = ()
    figures: bool = False


class Picture(NamedTuple):
    """A PNG file with its caption."""

    caption: str
    path: Path

    @property
    def wide(self) -> bool:
        """Whether it has panels side by side, and would be illegible on a narrow screen."""
        return int.from_bytes(self.path.read_bytes()[16:20]) > WIDE  # in a PNG's header


class Chart(NamedTuple):
    """HTML made by a library, such as a Plotly chart; it is not escaped."""

    title: str
    html: str
    note: str = ""


Part = PageTable | Picture | Chart


def html_page(title: str, lead: str, parts: Iterable[Part]) -> str:
    """The page; `lead` is its summary, in lines. Texts are escaped and pictures embedded."""
    return template("page.html.j2").render(title=title, lead=lead, parts=list(parts)) + "\n"


def markdown_page(title: str, lead: str, parts: Iterable[Part]) -> str:
    """The same page as Markdown, with its tables only."""
    tables = [markdown_table(part) for part in parts if isinstance(part, PageTable)]
    broken = lead.replace("\n", "\\\n")  # a backslash keeps the end of a line in Markdown
    return "\n\n".join([f"# {title}", broken, *tables]) + "\n"


def write_pages(path: Path, content: Any, *, title: str, lead: str, parts: Sequence[Part]) -> None:
    """Write the content as .json, and the page as .md and .html; `path` is without suffix."""
    texts = {
        ".json": json.dumps(content, indent=2, ensure_ascii=False) + "\n",
        ".md": markdown_page(title, lead, parts),
        ".html": html_page(title, lead, parts),
    }
    for suffix, text in texts.items():
        write_whole(path.with_suffix(suffix), text.encode())


def embedded_png(path: Path) -> str:
    """A PNG file as the source of an embedded image."""
    return f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"


def embedded_jpeg(picture: NDArray[np.uint8]) -> str:
    """A picture (height, width) as the source of an embedded image."""
    import cv2

    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return f"data:image/jpeg;base64,{b64encode(jpeg.tobytes()).decode()}"


def template(name: str) -> Template:
    """A template of this package; it escapes what is not marked safe."""
    return _templates().get_template(name)


@functools.cache
def _templates() -> Environment:
    loader = PackageLoader("tripletlab.plots", "templates")
    templates = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["png"] = embedded_png
    templates.tests["table"] = lambda part: isinstance(part, PageTable)
    templates.tests["picture"] = lambda part: isinstance(part, Picture)
    return templates


def markdown_table(table: PageTable) -> str:
    """A table under its title, as Markdown."""

    def line(cells: Sequence[str]) -> str:
        plain = (" ".join(cell.replace("|", r"\|").split()) for cell in cells)
        return f"| {' | '.join(plain)} |"

    note = [table.note, ""] if table.note else []
    others = "---:" if table.figures else "---"
    divider = line(["---", *[others] * (len(table.heading) - 1)])
    lines = [f"## {table.title}", "", *note, line(table.heading), divider, *map(line, table.rows)]
    return "\n".join(lines)
