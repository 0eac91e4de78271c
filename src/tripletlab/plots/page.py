"""The pages: tables, pictures and charts in one HTML file that needs no other, or in Markdown.

One template and one stylesheet for all of them; they are readable on a phone, in light and dark.
"""

import functools
from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined


class PageTable(NamedTuple):
    """A table under its title; `note` stands between them.

    `marked` are the places of rows that stand out; columns of `figures` are aligned to the right.
    """

    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    marked: Collection[int] = ()
    figures: bool = False

    @property
    def kind(self) -> str:
        """How the template draws it."""
        return "table"


class Picture(NamedTuple):
    """A PNG and what it shows."""

    caption: str
    path: Path

    @property
    def kind(self) -> str:
        """How the template draws it."""
        return "picture"


class Chart(NamedTuple):
    """HTML that a library made, such as a chart of Plotly's; it is not escaped."""

    title: str
    html: str
    note: str = ""

    @property
    def kind(self) -> str:
        """How the template draws it."""
        return "chart"


Part = PageTable | Picture | Chart


def html_page(title: str, lead: str, parts: Iterable[Part]) -> str:
    """The page; `lead` says in a sentence what it shows. Texts are escaped, pictures inside."""
    template = _templates().get_template("page.html.j2")
    return template.render(title=title, lead=lead, parts=list(parts)) + "\n"


def markdown_page(title: str, lead: str, parts: Iterable[Part]) -> str:
    """The same, with the tables alone."""
    tables = [_markdown_table(part) for part in parts if isinstance(part, PageTable)]
    return "\n\n".join([f"# {title}", lead, *tables]) + "\n"


def embedded_png(path: Path) -> str:
    """A PNG as the source of an image inside the page."""
    return f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"


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
    return templates


def _markdown_table(table: PageTable) -> str:
    def line(cells: Sequence[str]) -> str:
        plain = (" ".join(cell.replace("|", r"\|").split()) for cell in cells)
        return f"| {' | '.join(plain)} |"

    note = [table.note, ""] if table.note else []
    divider = line(["---"] * len(table.heading))
    lines = [f"## {table.title}", "", *note, line(table.heading), divider, *map(line, table.rows)]
    return "\n".join(lines)
