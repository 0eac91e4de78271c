"""What a sweep has shown, in sentences: the winner, equal models, and the effect of each axis."""

from collections.abc import Sequence

import numpy as np

from tripletlab.evaluation.bootstrap import FEWEST, TOO_FEW_PEOPLE
from tripletlab.evaluation.numbers import decimal, p_figure, p_text, signed
from tripletlab.evaluation.protocol import Distances
from tripletlab.plots.page import PageTable
from tripletlab.sweeping.contrasts import Effect
from tripletlab.sweeping.significance import Ranking
from tripletlab.sweeping.table import ModelRow


def equal_models(rows: Sequence[ModelRow], models: Sequence[Sequence[Distances]]) -> str:
    """Which models gave the same distances with every seed, and why that can be; may be empty."""
    groups: dict[bytes, list[ModelRow]] = {}
    for row, seeds in zip(rows, models, strict=True):
        if all(np.ptp(one) == 0 for one in seeds):
            continue  # collapsed: all distances are equal, whatever the network
        key = b"".join(np.ascontiguousarray(one).tobytes() for one in seeds)
        groups.setdefault(key, []).append(row)
    return " ".join(_why_equal(group) for group in groups.values() if len(group) > 1)


def _why_equal(group: Sequence[ModelRow]) -> str:
    keys = dict.fromkeys(key for row in group for key in row.point)
    axes = [key for key in keys if len({repr(row.point.get(key)) for row in group}) > 1]
    why = (
        "where every triplet that the miner chooses violates each of these margins, the margin is"
        " a constant in the loss, without effect on its gradient"
        if axes == ["margin"]
        else "this changed nothing in their training"
    )
    return (
        f"{listed([row.name for row in group])} are the same network: they differ in"
        f" {listed(axes) or 'nothing'}, and {why}."
    )


def effect_sentence(effects: Sequence[Effect], *, ablation: bool) -> str:
    """Which values of the axes, or which changes of the recipe, are shown to matter."""
    if not effects:
        return ""
    shown = sorted((one for one in effects if one.shown), key=lambda one: -abs(one.auc.value))
    if not ablation:
        if shown:
            return f"Shown to matter: {listed([_better(one) for one in shown])}."
        axes = list(dict.fromkeys(one.contrast.axis for one in effects))
        return f"No value of {listed(axes)} is shown to be better than another."
    texts = []
    if shown:
        mixed = len({one.seeds for one in effects}) > 1
        changes = [
            f"{one.contrast.first} ({signed(one.auc.value)}, {p_text(one.p)}"
            f"{', one seed' if mixed and one.seeds == 1 else ''})"
            for one in shown
        ]
        texts.append(f"Changes that matter: {listed(changes)}.")
    if others := [one.contrast.first for one in effects if not one.shown]:
        texts.append(f"Not shown to matter: {listed(others)}.")
    return " ".join(texts)


def effects_table(effects: Sequence[Effect], *, ablation: bool) -> PageTable:
    """Every comparison with its difference, interval, p and result."""
    lines = [
        [
            one.contrast.name,
            signed(one.auc.value),
            f"{signed(one.auc.low)} to {signed(one.auc.high)}",
            p_figure(one.p),
            f"{one.better} is better" if one.shown else "not shown",
        ]
        for one in effects
    ]
    seeds = sorted({one.seeds for one in effects})
    correction = f"; p is corrected for {len(effects)} comparisons (Holm)" * (len(effects) > 1)
    ends = dict.fromkeys(seeds[:1] + seeds[-1:])
    over = "the one seed" if seeds == [1] else f"{' to '.join(map(str, ends))} seeds"
    averaged = not ablation and any(len(one.contrast.pairs) > 1 for one in effects)
    note = (
        f"Differences of the validation AUC{', over all other axes' if averaged else ''}, paired"
        f" over people and {over}{correction}."
        + (" With one seed, they say nothing about other seeds." if seeds == [1] else "")
    )
    title = "What each change does to the recipe" if ablation else "Values of the axes, compared"
    heading = ["first − second", "difference", "95 % interval", "p", "result"]
    return PageTable(title, heading, lines, note, figures=True)


def _better(effect: Effect) -> str:
    """Of a shown effect: which value is better, and by how much."""
    axis, first, second, _ = effect.contrast
    worse = second if effect.better == first else first
    lead = abs(effect.auc.value)
    return f"{axis} {effect.better} is better than {worse} by {lead:.4f} ({p_text(effect.p)})"


def conclusion(rows: Sequence[ModelRow], found: Ranking, *, pairs: int, people: int) -> str:
    """Which of the rows is the best, and whether it is shown to be, in a few sentences."""
    best = rows[found.best]
    seeds = len(best.metrics)
    over = f", mean of {seeds} seeds" if seeds > 1 else ""
    interval = f"95 % interval {max(found.auc.low, 0):.4f} to {min(found.auc.high, 1):.4f}"
    auc = (
        f"{best.name}, validation AUC {found.auc.value:.4f}"
        f" ({TOO_FEW_PEOPLE if people < FEWEST else interval}{over}; {pairs:,} pairs of"
        f" {people} people that chose the epochs, and that no network was trained on)"
    )
    if people < FEWEST:
        shown = f"Nothing is shown with fewer than {FEWEST} validation people."
        return f"{shown} The highest is {auc}.{_alias('the others' if len(rows) > 1 else 'chance')}"
    if not found.above_chance:
        return (
            f"No model is shown to be better than chance. The highest is {auc}.{_alias('chance')}"
        )
    if len(rows) == 1:
        return f"{auc}."
    if found.wins:
        next_one = min(found.leads, key=lambda other: found.leads[other].value)
        smallest = "smallest lead" if len(rows) > 2 else "lead"
        lead = _lead(rows, found, next_one)
        return f"The winner is {auc}. Its {smallest} is {lead}.{_limit(rows)}"
    texts = [f"No model won. The highest is {auc}."]
    if found.equals:
        have = "has" if len(found.equals) == 1 else "have"
        texts.append(f"{listed([rows[one].name for one in found.equals])} {have} the same AUC.")
    if others := [other for other in found.contenders if other not in found.equals]:
        nearest = min(others, key=lambda other: found.leads[other].value)
        more = [rows[other].name for other in others if other != nearest]
        also = f", as may its lead over {listed(more)}" if more else ""
        texts.append(f"Its lead of {_lead(rows, found, nearest)} may be chance{also}.")
    return " ".join(texts) + _limit(rows) + _alias("the others")


def _lead(rows: Sequence[ModelRow], found: Ranking, other: int) -> str:
    lead, number = found.leads[other], len(rows)
    choice = f", corrected for the choice among {number}" if number > 2 else ""
    return (
        f"{decimal(lead.value)} over {rows[other].name} (95 % interval {decimal(lead.low)} to"
        f" {decimal(lead.high)}{choice})"
    )


def _limit(rows: Sequence[ModelRow]) -> str:
    alone = [row.name for row in rows if len(row.metrics) == 1]
    if len(alone) == len(rows):
        return " With one seed each, this says nothing about other seeds."
    return f" One seed only: {listed(alone)}." if alone else ""


def _alias(others: str) -> str:
    return (
        " The alias champion goes to the highest validation AUC, which is not shown to be better"
        f" than {others}."
    )


def listed(names: Sequence[str]) -> str:
    """At most five of the names, joined by commas and `and`, or four and how many more there are.

    Empty for none.
    """
    shown = list(names) if len(names) <= 5 else [*names[:4], f"{len(names) - 4} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
