"""A comparison of models: for the terminal, as JSON and Markdown, and as one page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table as Grid

from tripletlab.evaluation.bootstrap import TOO_FEW_PEOPLE
from tripletlab.evaluation.comparison import Comparison, Decisions, Difference, holm
from tripletlab.evaluation.metrics import METRICS
from tripletlab.evaluation.numbers import p_figure, p_text, signed
from tripletlab.evaluation.protocol import Flags, evaluate, roc
from tripletlab.photos.pairs import Pairs
from tripletlab.plots.page import PageTable, Picture, write_pages
from tripletlab.plots.style import GREY, PALETTE, plain, save, sheet

LINES = tuple(zip((*PALETTE, "black"), ("-", "--", "-.", ":", "--", "-.", ":"), strict=True))
SURE = 0.05
NOTE = (
    "The first model's figure minus the second's; 95 % intervals and p by a bootstrap over"
    " identities, with the same draws for both. Every p is adjusted for the number of comparisons"
    " (Holm). A difference is called real where p is below 0.05."
)
MCNEMAR = (
    "McNemar's exact test assumes independent pairs, which those of one person are not: its p is"
    " too small. It is adjusted for the number of comparisons (Holm)."
)


class AdjustedComparison(NamedTuple):
    """Two models compared, with p adjusted for the number of comparisons."""

    models: tuple[str, str]
    compared: Comparison
    p_accuracy: float
    p_auc: float
    p_mcnemar: float

    def conclusions(self) -> list[str]:
        """A sentence for every difference that is real."""
        return [
            f"{self.models[lead < 0]} is better than {self.models[lead > 0]} in {score}"
            f" by {abs(lead):.4f} ({p_text(p)})."
            for score, (lead, *_), p in (
                ("accuracy", self.compared.accuracy, self.p_accuracy),
                ("AUC", self.compared.auc, self.p_auc),
            )
            if p < SURE
        ]


def adjusted(
    compared: Mapping[tuple[int, int], Comparison], names: Sequence[str]
) -> list[AdjustedComparison]:
    """The comparison of every two models, with adjusted p."""
    of = list(compared.values())
    ps = zip(
        holm([one.accuracy.p for one in of]),
        holm([one.auc.p for one in of]),
        holm([one.mcnemar for one in of]),
        strict=True,
    )
    return [
        AdjustedComparison((names[one], names[other]), comparison, *own)
        for ((one, other), comparison), own in zip(compared.items(), ps, strict=True)
    ]


def terminal(comparisons: Sequence[AdjustedComparison], *, title: str) -> Grid:
    """A table narrow enough for a terminal: only the models' names are folded."""
    grid = Grid(title=title, title_justify="left", show_lines=True)
    auc = METRICS["test/auc_pooled"].heading.replace(" ", "\n", 1)
    grid.add_column("models", overflow="fold")
    for column in ("accuracy", auc, "only one\ncorrect", "same\ndecision"):
        grid.add_column(column, justify="right", no_wrap=True, overflow="fold")
    for row in comparisons:
        c = row.compared
        grid.add_row(
            f"{row.models[0]}\n− {row.models[1]}",
            _lines(c.accuracy, row.p_accuracy),
            _lines(c.auc, row.p_auc),
            f"{c.only_first}\n{c.only_second}",
            f"{c.agreement:.1%}",
        )
    return grid


def conclusion(comparisons: Sequence[AdjustedComparison]) -> str:
    """The real differences as sentences, or that none is shown, for too few people perhaps."""
    sentences = [sentence for row in comparisons for sentence in row.conclusions()]
    several = f"{len(comparisons)} comparisons; every p is adjusted for their number (Holm)."
    note = several if len(comparisons) > 1 else "One comparison."
    few = any(row.compared.auc.low is None for row in comparisons)
    none = f"No difference is shown{f': {TOO_FEW_PEOPLE}' if few else ''}. {note}"
    return "\n".join([*sentences, note] if sentences else [none])


def write_comparison(
    comparisons: Sequence[AdjustedComparison],
    decisions: Sequence[Decisions],
    names: Sequence[str],
    pairs: Pairs,
    *,
    title: str,
    folder: Path,
    pictures: Sequence[Picture],
) -> None:
    """Write comparison.json, comparison.md and comparison.html, which carries the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = [
        _models(decisions, names, pairs),
        _differences(comparisons),
        _contested(comparisons),
        _agreement(decisions, names),
    ]
    plain_rows = [
        {
            "models": row.models,
            "accuracy": row.compared.accuracy._asdict(),
            "auc": row.compared.auc._asdict(),
            "only_first_right": row.compared.only_first,
            "only_second_right": row.compared.only_second,
            "mcnemar_p": row.compared.mcnemar,
            "agreement": row.compared.agreement,
            "holm": {"accuracy": row.p_accuracy, "auc": row.p_auc, "mcnemar": row.p_mcnemar},
        }
        for row in comparisons
    ]
    write_pages(
        folder / "comparison",
        plain_rows,
        title=title,
        lead=conclusion(comparisons),
        parts=[*tables, *pictures],
    )


def line_style(place: int) -> dict[str, Any]:
    """How matplotlib draws the curve of a model, by its place from 0; after LINES it is wider."""
    colour, line = LINES[place % len(LINES)]
    return {"color": colour, "linestyle": line, "linewidth": 1.5 * (1 + place // len(LINES))}


def draw_rocs(
    decisions: Sequence[Decisions], matched: Flags, names: Sequence[str], *, title: str, path: Path
) -> None:
    """Write a PNG: the ROC curve of every model, all pairs at once, linear and logarithmic."""
    figure = sheet(11.4, 5.6, title=title)
    linear, logarithmic = figure.subplots(1, 2)
    least = 1 / np.count_nonzero(~matched)
    for place, model in enumerate(decisions):
        false, true = roc(model.distances, matched)
        style = line_style(place)
        for axes, rates in ((linear, false), (logarithmic, np.maximum(false, least / 2))):
            axes.plot(rates, true, **style)
    for axes in (linear, logarithmic):
        plain(axes).set(xlabel="false accept rate", ylabel="true accept rate", ylim=(-0.01, 1.01))
    # The names are given: matplotlib finds none that begins with an underscore.
    linear.legend(linear.get_lines(), names, frameon=False, loc="lower right")
    linear.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    logarithmic.set(xscale="log", xlim=(least, 1))
    save(figure, path)


def _models(decisions: Sequence[Decisions], names: Sequence[str], pairs: Pairs) -> PageTable:
    scores = [evaluate(one.distances, pairs.matched, pairs.fold).summary() for one in decisions]
    shown = {one: METRICS[f"test/{one}"] for one in ("precision", "recall", "auc", "auc_pooled")}
    figures = [
        (
            name,
            f"{s['accuracy']:.4f} ± {s['accuracy_standard_error']:.4f}",
            *(metric.figure(s[one]) for one, metric in shown.items()),
        )
        for name, s in zip(names, scores, strict=True)
    ]
    headings = (metric.heading for metric in shown.values())
    heading = ("model", "accuracy ± standard error", *headings)
    return PageTable("The models", heading, figures, figures=True)


def _differences(comparisons: Sequence[AdjustedComparison]) -> PageTable:
    lines = [
        (" − ".join(row.models), score, *_figures(difference, p), "real" if p < SURE else "")
        for row in comparisons
        for score, difference, p in (
            ("accuracy", row.compared.accuracy, row.p_accuracy),
            (METRICS["test/auc_pooled"].heading, row.compared.auc, row.p_auc),
        )
    ]
    heading = ("models", "score", "difference", "95 % interval", "p", "")
    return PageTable("Which differences are real?", heading, lines, NOTE, figures=True)


def _contested(comparisons: Sequence[AdjustedComparison]) -> PageTable:
    lines = [
        (
            *row.models,
            f"{row.compared.only_first:,}",
            f"{row.compared.only_second:,}",
            p_figure(row.p_mcnemar),
        )
        for row in comparisons
    ]
    heading = ("first", "second", "only the first correct", "only the second correct", "p")
    return PageTable("Pairs on which they differ", heading, lines, MCNEMAR)


def _agreement(decisions: Sequence[Decisions], names: Sequence[str]) -> PageTable:
    shares = [[f"{np.mean(a.correct == b.correct):.1%}" for b in decisions] for a in decisions]
    lines = [(name, *row) for name, row in zip(names, shares, strict=True)]
    return PageTable("Share of the pairs with the same decision", ("", *names), lines)


def _figures(difference: Difference, p: float) -> tuple[str, str, str]:
    if difference.low is None or difference.high is None:
        return signed(difference.value), "–", "–"
    interval = f"{signed(difference.low)} to {signed(difference.high)}"
    return signed(difference.value), interval, p_figure(p)


def _lines(difference: Difference, p: float) -> str:
    value, interval, adjusted = _figures(difference, p)
    return f"{value}\n{interval}\np {adjusted}"
