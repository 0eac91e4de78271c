"""A sweep's table, like the paper's Table II."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from tripletlab.evaluation.metrics import SCORE, describe
from tripletlab.plots.page import PageTable
from tripletlab.sweeping.axes import Point

PAPER_COLUMNS = ("test/precision", "test/recall", "test/accuracy", "test/auc", SCORE)  # of Table II
MAX_ROWS = 20  # on the screen
NAME_WIDTH = 22  # characters shown at least; on 80 columns it leaves room for three figures with ±
DROPPED_FIRST = PAPER_COLUMNS[:2]  # on a narrow screen; table.md has them


@dataclass(frozen=True)
class ModelRow:
    """A finished point: its name, its runs, one for each seed, and the final metrics of each."""

    name: str
    point: Point
    run_ids: tuple[str, ...]
    metrics: tuple[Mapping[str, float], ...]
    seeds: tuple[int | None, ...] = (None,)  # of the runs; None is the config's own

    @property
    def score(self) -> float:
        """The mean of the metric that chooses the best model."""
        return self.mean(SCORE)

    @property
    def best_run(self) -> str:
        """The run of the best seed."""
        return max(zip(self.metrics, self.run_ids, strict=True), key=lambda one: one[0][SCORE])[1]

    def mean(self, metric: str) -> float:
        """A metric's mean over the seeds."""
        return statistics.fmean(one[metric] for one in self.metrics)

    def common(self) -> list[str]:
        """The metrics that all its runs have."""
        return [name for name in self.metrics[0] if all(name in one for one in self.metrics)]

    def figure(self, metric: str) -> str:
        """Mean ± standard deviation over the seeds; for one run, accuracy's over its folds.

        A run may lack what cannot be counted.
        """
        if not all(metric in one for one in self.metrics):
            return "not known"
        values = [one[metric] for one in self.metrics]
        figure, mean = describe(metric).figure, statistics.fmean(values)
        if metric.startswith("cost/") and len(set(values)) == 1:
            return figure(mean)
        if len(values) > 1:
            return f"{figure(mean)} ± {figure(statistics.stdev(values))}"
        if metric == "test/accuracy":
            return f"{figure(mean)} ± {figure(self.metrics[0]['test/accuracy_std'])}"
        return figure(mean)


def headings(more: Sequence[str]) -> dict[str, str]:
    """Metrics to show and their headings: the paper's, then `more`."""
    return {one: describe(one).heading for one in (*PAPER_COLUMNS, *more)}


def scatter_note(rows: Sequence[ModelRow]) -> str:
    """What ± means in these rows."""
    several = {len(row.metrics) > 1 for row in rows}
    folds, seeds = "the folds of the test pairs", "the seeds"
    over = f"{seeds}; of a single run, over {folds}" if len(several) > 1 else ""
    return f"± is the standard deviation over {over or (seeds if True in several else folds)}."


def pareto_front(
    rows: Sequence[ModelRow], objectives: Mapping[str, Literal["maximize", "minimize"]]
) -> list[ModelRow]:
    """The rows that no other dominates, which would be as good in all objectives, better in one."""
    signs = {name: 1 if how == "maximize" else -1 for name, how in objectives.items()}
    values = [[sign * row.mean(name) for name, sign in signs.items()] for row in rows]

    def dominates(one: list[float], other: list[float]) -> bool:
        return one != other and all(a >= b for a, b in zip(one, other, strict=True))

    return [
        row
        for row, own in zip(rows, values, strict=True)
        if not any(dominates(other, own) for other in values)
    ]


def model_table(
    rows: Sequence[ModelRow],
    shown: Mapping[str, str],
    *,
    note: str,
    bold: Sequence[ModelRow],
) -> PageTable:
    """The rows on a page, with the metrics and headings of `shown`; `bold` ones are marked."""
    lines = [[row.name, *(row.figure(metric) for metric in shown)] for row in rows]
    marked = [place for place, row in enumerate(rows) if row in bold]
    return PageTable("Models", ["model", *shown.values()], lines, note, marked, figures=True)


def print_table(
    rows: Sequence[ModelRow],
    *,
    title: str,
    shown: Mapping[str, str],
    bold: Sequence[ModelRow],
    console: Console,
) -> None:
    """Print the rows, `bold` ones in bold; columns without room go to a table below.

    A note explains ±, and says where precision and recall are if there is no room for them.
    """
    note = scatter_note(rows)

    def fits(columns: Mapping[str, str]) -> bool:
        return fits_on(console, _table(rows, title, columns, bold))

    fewer = {metric: name for metric, name in shown.items() if metric not in DROPPED_FIRST}
    if fits(fewer) and not fits(shown):
        shown = fewer
        note += " Precision and recall are in table.md and in the report."
    for number, part in enumerate(_parts(shown, fits)):
        console.print(_table(rows, None if number else title, part, bold))
    console.print(note)


def fits_on(console: Console, table: Table) -> bool:
    """Whether the console is wide enough for all that a table does not break."""
    unbounded = console.options.update(max_width=1000)
    return console.measure(table, options=unbounded).minimum <= console.width


def _parts(
    shown: Mapping[str, str], fits: Callable[[Mapping[str, str]], bool]
) -> Iterator[Mapping[str, str]]:
    """The columns in order, in as few parts as fit."""
    part: dict[str, str] = {}
    for metric, heading in shown.items():
        if part and not fits(part | {metric: heading}):
            yield part
            part = {}
        part[metric] = heading
    yield part


def _table(
    rows: Sequence[ModelRow], title: str | None, shown: Mapping[str, str], bold: Sequence[ModelRow]
) -> Table:
    drawn = Table(title=title, title_justify="left")
    names = min(NAME_WIDTH, max(len(row.name) for row in rows))
    drawn.add_column("model", overflow="fold", min_width=names)
    figures = {metric: [row.figure(metric) for row in rows] for metric in shown}
    for metric, heading in shown.items():
        width = max(map(len, figures[metric]))  # rich would break a figure at its spaces
        drawn.add_column(heading.replace(" ", "\n"), justify="right", no_wrap=True, min_width=width)
    for number, row in enumerate(rows):
        style = "bold" if row in bold else None
        drawn.add_row(row.name, *(column[number] for column in figures.values()), style=style)
    return drawn


def print_page_table(table: PageTable, *, console: Console) -> None:
    """Print a table of the report, its first rows, with its note."""
    drawn = Table(title=table.title, title_justify="left", caption_justify="left")
    for place, heading in enumerate(table.heading):
        drawn.add_column(heading, justify="right" if place else "left", overflow="fold")
    for row in table.rows[:MAX_ROWS]:
        drawn.add_row(*row)
    more = len(table.rows) - MAX_ROWS
    drawn.caption = table.note + (f" {more} more rows are in the report." if more > 0 else "")
    console.print(drawn)
