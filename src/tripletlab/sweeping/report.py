"""A sweep's report: one HTML page that needs no network."""

from collections.abc import Sequence
from typing import NamedTuple

from plotly.graph_objects import Figure

from tripletlab.evaluation.distance_files import read_distances
from tripletlab.evaluation.metrics import SCORE, describe
from tripletlab.evaluation.protocol import mean_roc
from tripletlab.faces.store import PairStore
from tripletlab.plots.page import Chart, PageTable, Part, html_page
from tripletlab.sweeping import charts
from tripletlab.sweeping.contrasts import Effect
from tripletlab.sweeping.scaling import ScalingCurve
from tripletlab.sweeping.spaces import MONITORED
from tripletlab.sweeping.study import POINT, RUN, STATES, Study, parameters, reason
from tripletlab.sweeping.table import (
    PAPER_COLUMNS,
    ModelRow,
    model_table,
    pareto_front,
    scatter_note,
)
from tripletlab.tracking import Tracker

BEST = 5  # models in the plot of ROC curves
FIRST = (SCORE, "test/accuracy", "test/auc")  # columns
COSTS = ("cost/training_seconds", "cost/parameters", "cost/flops")  # of every table of models


class Summary(NamedTuple):
    """What a sweep has shown: its finished points in the order of the space, compared."""

    rows: list[ModelRow]
    conclusion: str  # lines of sentences
    tables: list[PageTable]  # of the effects, and of the curves
    effects: list[Effect]
    curves: list[ScalingCurve]  # of the AUC by training identities


def report(
    study: Study,
    found: Summary,
    pairs: PairStore,
    tracker: Tracker,
    *,
    title: str,
    conclusion: str,
) -> str:
    """The page as HTML: what won, by how much, whether it is real, what it cost; then figures."""
    rows = found.rows
    ranked = sorted(rows, key=lambda row: row.score, reverse=True)
    parts: list[Part] = [*_pivot(study, rows), _table(study, ranked), *found.tables]
    figures: dict[str, Figure] = {}
    if found.effects:
        figures["Differences"] = charts.differences(found.effects)
    if found.curves:
        figures["Scaling"] = charts.scaling(found.curves, study.space.predict)
    of_study = charts.of_study(study)
    curves = {"Learning curves": _curves(study, ranked[0], tracker)}
    figures |= of_study | curves if "Pareto front" in of_study else curves | of_study
    counted = [row for row in rows if "cost/flops" in row.common()]
    if len({row.mean("cost/flops") for row in counted}) > 1:
        figures["AUC against operations"] = charts.auc_by_operations(
            {row.name: (row.mean("cost/flops"), row.mean("test/auc")) for row in counted}
        )
    heading = "ROC of the best" if len(ranked) > BEST else "ROC"
    figures[heading] = _rocs(ranked[:BEST], pairs, tracker)
    for place, (heading, figure) in enumerate(figures.items()):
        code = figure.to_html(
            full_html=False,
            include_plotlyjs=place == 0,
            config={"responsive": True, "displaylogo": False},
        )
        if _is_wide(heading, figure):
            code = f'<div class="wide">{code}</div>'
        parts.append(Chart(heading, code, NOTES.get(heading, "")))
    return html_page(title, conclusion, [*parts, *_ended(study)])


def _is_wide(heading: str, figure: Figure) -> bool:
    """Whether a narrow screen has no room for it: several panels, names at points, long names."""
    return heading in WIDE or any(len(one.name or "") > LONG for one in figure.data)


WIDE = ("Parallel coordinates", "Objective by two parameters", "AUC against operations")
LONG = 40  # characters
NOTES = {
    "Differences": "Validation AUC, first minus second, with 95 % intervals; filled: shown (Holm).",
    "Scaling": "Every run, the fitted power law, and its 95 % interval for one more run.",
    "Learning curves": "Validation AUC after each epoch; the seeds of a model have its colour."
    " Thick: the highest; dotted: ended early.",
    "Optimisation history": "Every run in the order of the trials, and the best so far.",
    "Parallel coordinates": "A line for each run, through its values; the colour is its result.",
    "Objective by one parameter": "A point for each run.",
    "ROC": "Mean over the folds of the verification pairs, which chose no model.",
    "ROC of the best": "Mean over the folds of the verification pairs, which chose no model.",
    "Parameter importance": "Share of the variance that each parameter explains (fANOVA over the"
    " finished runs); with few runs, a rough estimate.",
    "Objective by two parameters": "Interpolated between the runs, which are the points; with few"
    " runs, a rough picture.",
    "AUC against operations": "AUC on the verification pairs; operations for one face.",
    "Pareto front": "No run is better than one of these in all objectives at once.",
}


def _pivot(study: Study, rows: Sequence[ModelRow]) -> list[PageTable]:
    """Validation AUC by the two axes of a grid, with its standard deviation over several seeds."""
    space, axes = study.space, study.space.axes
    whole = not (space.sampler or space.ablation or any(axis.when for axis in axes.values()))
    if not whole or len(axes) != 2:
        return []
    down, across = axes
    cells = {(row.point[down], row.point[across]): row.figure(SCORE) for row in rows}
    lines = [
        [str(one), *(cells.get((one, other), "–") for other in axes[across].ends())]
        for one in axes[down].ends()
    ]
    several = any(len(row.metrics) > 1 for row in rows)
    note = "Mean ± standard deviation over the seeds that finished." if several else ""
    heading = [down, *(f"{across} {one}" for one in axes[across].ends())]
    return [PageTable("Validation AUC", heading, lines, note, figures=True)]


def _table(study: Study, ranked: Sequence[ModelRow]) -> PageTable:
    common = set.intersection(*(set(row.common()) for row in ranked))
    costs = [one for one in COSTS if one in common]
    asked = [*study.space.objectives, *study.space.columns]
    shown = {one: describe(one).heading for one in (*FIRST, *asked, *costs, *PAPER_COLUMNS)}
    best = pareto_front(ranked, study.space.objectives)
    kind = "ablation" if study.space.ablation else "grid"
    sampler = (study.space.sampler or {}).get("_target_", kind).rpartition(".")[2]
    note = f"{study.summary()} · {sampler} · study {study.name} · {scatter_note(ranked)}"
    return model_table(ranked, shown, note=note, bold=best)


def _curves(study: Study, best: ModelRow, tracker: Tracker) -> Figure:
    curves, models, ended, thick = {}, {}, set(), best.name
    for trial in study.latest():
        if (run := trial.user_attrs.get(RUN)) is None:
            continue
        if (name := study.title(trial)) in curves:
            name = f"{name} ({trial.user_attrs[POINT]})"
        models[name] = study.space.title(parameters(trial))
        # The study has the curve where a pruner could read it: no query for each run
        curves[name] = sorted(trial.intermediate_values.items()) or tracker.runs.history(
            run, MONITORED
        )
        if STATES[trial.state] != "complete":
            ended.add(name)
        if run == best.best_run:
            thick = name
    return charts.learning_curves(curves, models=models, best=thick, ended=ended)


def _rocs(rows: Sequence[ModelRow], pairs: PairStore, tracker: Tracker) -> Figure:
    matched, fold = pairs.pairs.matched, pairs.pairs.fold

    def curve(row: ModelRow) -> charts.Rates:
        stored = tracker.runs.artifact(row.best_run, "distances.npz")
        distances = read_distances(stored, "verification", count=len(matched))
        return mean_roc(distances, matched, fold)

    def name(row: ModelRow) -> str:
        auc = row.metrics[row.run_ids.index(row.best_run)]["test/auc"]
        return f"{row.name} (AUC {auc:.3f}{', its best seed' if len(row.metrics) > 1 else ''})"

    return charts.roc_curves({name(row): curve(row) for row in rows})


def _ended(study: Study) -> list[PageTable]:
    """The runs that ended early or failed, with the reason of each.

    A complete run has a reason where its point was drawn again.
    """
    lines = [
        [study.title(trial), STATES[trial.state], why]
        for trial in study.latest()
        if (why := reason(trial)) and STATES[trial.state] != "complete"
    ]
    return [PageTable("Ended early", ("model", "state", "reason"), lines)] if lines else []
