"""A sweep's table, as the paper's Table II, and what may be concluded from it."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from tripletlab.evaluation.metrics import describe
from tripletlab.sweeping.significance import Ranking
from tripletlab.sweeping.spaces import SCORE, Point

PAPER_COLUMNS = ("test/precision", "test/recall", "test/accuracy", "test/auc", SCORE)  # Table II
MAX_ROWS = 20  # rows on the screen
NAME_WIDTH = (
    22  # characters at least of a name that has so many: leaves 80 columns room for three ±
)
DROPPED_FIRST = PAPER_COLUMNS[:2]  # where the screen is too narrow; table.md has them


@dataclass(frozen=True)
class ModelRow:
    """A finished point: its name, its runs, one a seed, and the metrics that each ended with."""

    name: str
    point: Point
    run_ids: tuple[str, ...]
    metrics: tuple[Mapping[str, float], ...]

    @property
    def score(self) -> float:
        """What chooses the winner."""
        return self.mean(SCORE)

    @property
    def best_run(self) -> str:
        """The run of the best seed."""
        return max(zip(self.metrics, self.run_ids, strict=True), key=lambda one: one[0][SCORE])[1]

    def mean(self, metric: str) -> float:
        """Over the seeds."""
        return statistics.fmean(one[metric] for one in self.metrics)

    def figure(self, metric: str) -> str:
        """Mean ± standard deviation over the seeds; for one run, accuracy's over its folds.

        A run may lack what cannot be counted.
        """
        if not all(metric in one for one in self.metrics):
            return "not known"
        values = [one[metric] for one in self.metrics]
        figure, mean = describe(metric).figure, statistics.fmean(values)
        if len(values) > 1:
            return f"{figure(mean)} ± {figure(statistics.stdev(values))}"
        if metric == "test/accuracy":
            return f"{figure(mean)} ± {figure(self.metrics[0]['test/accuracy_std'])}"
        return figure(mean)


def headings(more: Sequence[str]) -> dict[str, str]:
    """Metrics to show and their names: the paper's, then what there is beyond them."""
    return {one: describe(one).heading for one in dict.fromkeys([*PAPER_COLUMNS, *more])}


def pareto_front(
    rows: Sequence[ModelRow], objectives: Mapping[str, Literal["maximize", "minimize"]]
) -> list[ModelRow]:
    """The rows that no other beats: at least as good in all objectives, better in one."""
    signs = {name: 1 if how == "maximize" else -1 for name, how in objectives.items()}
    values = [[sign * row.mean(name) for name, sign in signs.items()] for row in rows]

    def beats(one: list[float], other: list[float]) -> bool:
        return one != other and all(a >= b for a, b in zip(one, other, strict=True))

    return [
        row
        for row, own in zip(rows, values, strict=True)
        if not any(beats(other, own) for other in values)
    ]


def print_table(
    rows: Sequence[ModelRow],
    *,
    title: str,
    shown: Mapping[str, str],
    bold: Sequence[ModelRow],
    console: Console,
) -> None:
    """The winner, or the Pareto front, in bold; columns without room stand in a table below."""

    def fits(columns: Mapping[str, str]) -> bool:
        unbounded = console.options.update(max_width=1000)
        drawn = _table(rows, title, columns, bold)
        return console.measure(drawn, options=unbounded).minimum <= console.width

    fewer = {metric: name for metric, name in shown.items() if metric not in DROPPED_FIRST}
    if fits(fewer) and not fits(shown):
        shown = fewer
    for number, part in enumerate(_parts(shown, fits)):
        console.print(_table(rows, None if number else title, part, bold))


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


def markdown(
    rows: Sequence[ModelRow], *, title: str, shown: Mapping[str, str], conclusion: str
) -> str:
    """For the parent run's artifacts."""
    lines = [
        f"# {title}",
        "",
        "| model | " + " | ".join(shown.values()) + " |",
        "|---|" + "---:|" * len(shown),
        *(
            f"| {row.name} | " + " | ".join(row.figure(metric) for metric in shown) + " |"
            for row in rows
        ),
        "",
        conclusion,
        "",
    ]
    return "\n".join(lines)


def conclusion(rows: Sequence[ModelRow], found: Ranking, *, pairs: int, people: int) -> str:
    """Which of the rows is the best, and whether that is more than chance would give."""
    best = rows[found.best]
    seeds = len(best.metrics)
    over = f", mean of {seeds} seeds" if seeds > 1 else ""
    auc = (
        f"validation AUC {found.auc.value:.4f} (95 % {found.auc.low:.4f} to"
        f" {found.auc.high:.4f}{over}; {pairs:,} pairs of {people} people that no network trained"
        " on)"
    )
    if not found.above_chance:
        return f"No model is shown to be better than chance: the highest is {best.name}, {auc}."
    ties = _listed([rows[other].name for other in found.equals])
    if len(rows) == 1:
        return f"{best.name}: {auc}."
    if found.wins:
        next_one = min(found.leads, key=lambda other: found.leads[other].value)
        return f"{best.name} won: {auc}. It leads {_lead(rows, found, next_one)}.{_limit(seeds)}"
    others = [other for other in found.contenders if other not in found.equals]
    texts = [f"No model won: the highest is {best.name}, {auc}."]
    if ties:
        texts.append(f"{ties} {'is' if len(found.equals) == 1 else 'are'} exactly equal to it.")
    if others:
        nearest = min(others, key=lambda other: found.leads[other].value)
        more = _listed([rows[other].name for other in others if other != nearest])
        also = f"; nor can {more} be told from it" if more else ""
        texts.append(f"Its lead over {_lead(rows, found, nearest)}, may be chance{also}.")
    return " ".join(texts) + _limit(seeds)


def _lead(rows: Sequence[ModelRow], found: Ranking, other: int) -> str:
    lead, number = found.leads[other], len(rows)
    choice = f", corrected for the choice among {number}" if number > 2 else ""
    return (
        f"{rows[other].name} by {lead.value:.4f} (95 % {lead.low:.4f} to {lead.high:.4f}{choice})"
    )


def _limit(seeds: int) -> str:
    return "" if seeds > 1 else " With one seed each, that says nothing of other seeds."


def _listed(names: Sequence[str]) -> str:
    """At most four names in words."""
    shown = [*names[:4], *([f"{len(names) - 4} more"] if len(names) > 4 else [])]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
