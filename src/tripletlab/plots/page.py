"""One look for all pages: tables and pictures in a single HTML file that needs nothing else."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

STYLE = """body{font:16px/1.45 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;
color:#1d2129;background:#fff}table{border-collapse:collapse;margin:.6rem 0 1.6rem}
td,th{padding:.25rem .7rem;border-bottom:1px solid #d8dce2;text-align:left;vertical-align:top;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}h1{font-size:1.5rem}h2{font-size:1.1rem}
p{max-width:46rem}figure{margin:1rem 0 2rem}figcaption{color:#4a5058;font-size:.9rem}
img{max-width:100%}"""


class Table(NamedTuple):
    """A table under its title; `note` stands between them."""

    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


class Picture(NamedTuple):
    """A PNG and what it shows."""

    caption: str
    path: Path


def html_page(title: str, lead: str, parts: Iterable[Table | Picture]) -> str:
    """The page; `lead` says in a sentence what it shows. Texts are escaped, pictures inside."""
    body = "".join(
        _html_table(part) if isinstance(part, Table) else _html_picture(part) for part in parts
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1><p>{escape(lead)}</p>{body}</html>\n"
    )


def markdown_page(title: str, lead: str, parts: Iterable[Table | Picture]) -> str:
    """The same without the pictures."""
    tables = [_markdown_table(part) for part in parts if isinstance(part, Table)]
    return "\n\n".join([f"# {title}", lead, *tables]) + "\n"


def _html_table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    rows = "".join(row(cells, "td") for cells in table.rows)
    return f"<h2>{escape(table.title)}</h2>{note}<table>{row(table.heading, 'th')}{rows}</table>"


def _html_picture(picture: Picture) -> str:
    data = b64encode(picture.path.read_bytes()).decode()
    caption = escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _markdown_table(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        plain = (" ".join(cell.replace("|", r"\|").split()) for cell in cells)
        return f"| {' | '.join(plain)} |"

    note = [table.note, ""] if table.note else []
    divider = line(["---"] * len(table.heading))
    lines = [f"## {table.title}", "", *note, line(table.heading), divider, *map(line, table.rows)]
    return "\n".join(lines)
