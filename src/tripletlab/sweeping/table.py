"""A sweep's table, as the paper's Table II, and what may be concluded from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from tripletlab.verification.bootstrap import Lead

COLUMNS = ("precision", "recall", "accuracy", "AUC", "validation AUC")


@dataclass(frozen=True)
class Row:
    """A finished cell: its name, its run, and the metrics that the run logged at its end."""

    name: str
    run_id: str
    metrics: Mapping[str, float]

    @property
    def score(self) -> float:
        """What chooses the champion."""
        return self.metrics["best_validation_auc"]

    def figures(self) -> tuple[str, ...]:
        """As text, in the order of COLUMNS; the accuracy with its scatter over the sets."""
        m = self.metrics
        accuracy = f"{m['accuracy']:.4f} ± {m['accuracy_std']:.4f}"
        values = m["precision"], m["recall"], accuracy, m["auc"], self.score
        return tuple(v if isinstance(v, str) else f"{v:.4f}" for v in values)


def table(rows: Sequence[Row], *, title: str) -> Table:
    """For the terminal; the winner in bold."""
    best = max(rows, key=lambda row: row.score)
    shown = Table(title=title, title_justify="left")
    shown.add_column("model", no_wrap=True)
    for column in COLUMNS:
        shown.add_column(column.replace(" ", "\n"), justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(row.name, *row.figures(), style="bold" if row is best else None)
    return shown


def markdown(rows: Sequence[Row], *, title: str, conclusion: str) -> str:
    """For the parent run's artifacts."""
    lines = [
        f"# {title}",
        "",
        "| model | " + " | ".join(COLUMNS) + " |",
        "|---|" + "---:|" * len(COLUMNS),
        *(f"| {row.name} | " + " | ".join(row.figures()) + " |" for row in rows),
        "",
        conclusion,
        "",
    ]
    return "\n".join(lines)


def conclusion(
    best: Row, second: Row | None, *, error: float, lead: Lead | None, pairs: int, people: int
) -> str:
    """Who won, by how much, and whether the lead is more than chance would give.

    `error` is the standard error of the best row's validation AUC, `lead` its lead over the second.
    """
    won = (
        f"{best.name} won: validation AUC {best.score:.4f}, standard error {error:.4f}"
        f" ({pairs:,} pairs of {people} people that no network trained on)."
    )
    if second is None or lead is None:
        return won
    if lead.difference == 0:
        return f"{won} {second.name} is exactly as good."
    verdict = "more than" if lead.difference > lead.standard_error else "within"
    return (
        f"{won} It leads {second.name} by {lead.difference:.4f}, {verdict} the paired standard"
        f" error of {lead.standard_error:.4f}."
    )
