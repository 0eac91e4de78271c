"""The card as JSON for programs, Markdown for notes, and one HTML page that needs nothing else."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from tripletlab.pictures.files import write_whole

STYLE = """body{font:16px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1d2129;background:#fff}table{border-collapse:collapse;margin:.6rem 0 1.6rem}
td,th{padding:.25rem .7rem;border-bottom:1px solid #d8dce2;text-align:left;vertical-align:top;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}h1{font-size:1.5rem}h2{font-size:1.1rem}
img{max-width:32rem;width:100%}"""


class _Part(NamedTuple):
    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]


def write_card(card: Mapping[str, Any], *, title: str, folder: Path, roc: Path) -> None:
    """Write card.json, card.md and card.html into `folder`; the page carries the picture `roc`."""
    parts = list(_parts(card))
    pages = {
        "card.json": json.dumps(card, indent=2, ensure_ascii=False) + "\n",
        "card.md": _markdown(title, parts),
        "card.html": _html(title, parts, roc.read_bytes()),
    }
    for name, text in pages.items():
        write_whole(folder / name, text.encode())


def _parts(card: Mapping[str, Any]) -> Iterator[_Part]:
    scores, pooled, intervals = card["scores"], card["pooled"], card["intervals"]
    low, high = ("95 % from", "to")
    spread = [
        (name, *(f"{scores[name][key]:.4f}" for key in ("mean", "std", "standard_error")))
        for name in ("accuracy", "precision", "recall", "f1", "auc", "threshold")
    ]
    yield _Part("Over the sets", ("score", "mean", "std", "standard error"), spread)
    yield _Part(
        f"Intervals: {intervals['method']} ({intervals['resamples']} resamples)",
        ("score", low, high),
        [(n, *(f"{end:.4f}" for end in intervals[n])) for n in ("accuracy", "auc_pooled")],
    )
    rates = [
        (f"TAR at FAR {point['far']:g}", f"{point['tar']:.4f}", _warning(point))
        for point in pooled["tar_at_far"]
    ]
    single = [("AUC", f"{pooled['auc']:.4f}", ""), ("EER", f"{pooled['eer']:.4f}", "")]
    yield _Part("All pairs at once", ("score", "value", "warning"), [*single, *rates])
    yield _Part("Every set", ("set", "threshold", "accuracy", "AUC", *["TP", "FP", "TN", "FN"]), [
        (
            str(k + 1),
            *(f"{scores[name]['sets'][k]:.4f}" for name in ("threshold", "accuracy", "auc")),
            *(str(scores["counts"][name][k]) for name in ("tp", "fp", "tn", "fn")),
        )
        for k in range(card["pairs"]["sets"])
    ])  # fmt: skip
    yield _Part(
        "What was judged", ("what", "value"), list(_plain({**card["pairs"], **card["about"]}))
    )


def _warning(point: Mapping[str, Any]) -> str:
    return "" if point["supported"] else "too few mismatched pairs: fewer than 30 false matches"


def _plain(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        key = prefix + name.replace("_", " ").strip()
        if isinstance(value, Mapping):
            yield from _plain(value, f"{key}, ")
        else:
            yield key, f"{value:,}" if type(value) is int else str(value)


def _markdown(title: str, parts: list[_Part]) -> str:
    def line(cells: Sequence[str]) -> str:
        plain = (" ".join(cell.replace("|", r"\|").split()) for cell in cells)
        return f"| {' | '.join(plain)} |"

    tables = [
        "\n".join(
            [f"## {title}", "", line(heading), line(["---"] * len(heading)), *map(line, rows)]
        )
        for title, heading, rows in parts
    ]
    return "\n\n".join([f"# {title}", *tables]) + "\n"


def _html(title: str, parts: list[_Part], roc: bytes) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    tables = "".join(
        f"<h2>{escape(title)}</h2><table>{row(heading, 'th')}"
        f"{''.join(row(cells, 'td') for cells in rows)}</table>"
        for title, heading, rows in parts
    )
    picture = f'<img alt="ROC curves" src="data:image/png;base64,{b64encode(roc).decode()}">'
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{tables}{picture}</html>\n"
    )
