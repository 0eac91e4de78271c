"""A sweep's report: one HTML page that needs no network."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from plotly.graph_objects import Figure

from tripletlab.evaluation.protocol import mean_roc
from tripletlab.faces.store import PairStore
from tripletlab.sweeping import charts
from tripletlab.sweeping.study import ERROR, POINT, REASON, RUN, SEED, STATES, Study, parameters
from tripletlab.sweeping.table import Row, front, headings
from tripletlab.tracking.runs import Tracker

BEST = 5  # models in the plot of ROC curves
GRID = np.linspace(0, 1, 501)
HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>
body{{font:16px/1.5 system-ui,sans-serif;color:#1c2024;max-width:1180px;margin:32px auto;
padding:0 20px}}
h1{{font-size:26px;margin-bottom:4px}}h2{{font-size:19px;margin:40px 0 4px}}
p.note{{color:#60666e;margin:2px 0 8px}}
p.answer{{border-left:4px solid #0072b2;padding:8px 16px;background:#f2f7fb}}
table{{border-collapse:collapse;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}}
th,td{{padding:5px 12px;border-bottom:1px solid #e4e6e9;text-align:right;white-space:nowrap}}
th:first-child,td:first-child{{text-align:left}}tr.best td{{font-weight:650;background:#f2f7fb}}
td.why{{text-align:left;white-space:normal}}</style></head><body>
"""


def report(
    study: Study,
    rows: Sequence[Row],
    pairs: PairStore,
    tracker: Tracker,
    *,
    title: str,
    conclusion: str,
) -> str:
    """The page: the answer, the tables, Optuna's figures, learning curves and ROC curves."""
    ranked = sorted(rows, key=lambda row: row.score, reverse=True)
    parts = [
        HEAD.format(title=escape(title)),
        f"<h1>{escape(title)}</h1><p class='note'>{escape(_counts(study))}</p>",
        f"<p class='answer'>{escape(conclusion)}</p>",
        _pivot(study, rows),
        _table(study, ranked),
    ]
    figures = charts.of_study(study)
    if not study.space.several or "Pareto front" not in figures:
        figures = {"Learning curves": _curves(study, ranked[0], tracker), **figures}
    else:
        figures["Learning curves"] = _curves(study, ranked[0], tracker)
    counted = [row for row in rows if all("flops" in one for one in row.metrics)]
    if len({row.mean("flops") for row in counted}) > 1:
        figures["AUC against operations"] = charts.worth(
            {row.name: (row.mean("flops"), row.mean("auc")) for row in counted}
        )
    heading = "ROC of the best" if len(ranked) > BEST else "ROC"
    figures[heading] = _rocs(ranked[:BEST], pairs, tracker)
    for place, (heading, figure) in enumerate(figures.items()):
        code = figure.to_html(full_html=False, include_plotlyjs=place == 0)
        parts.append(f"<h2>{heading}</h2><p class='note'>{NOTES.get(heading, '')}</p>{code}")
    return "\n".join([*parts, _ended(study), "</body></html>"])


NOTES = {
    "Learning curves": "Validation AUC after each epoch. Thick: the winner; dotted: ended early.",
    "ROC": "Mean over the sets of the verification pairs, which chose nothing.",
    "ROC of the best": "Mean over the sets of the verification pairs, which chose nothing.",
    "Which parameter matters": "fANOVA on the finished runs: few runs, rough shares.",
    "AUC against operations": "Verification AUC, and what a face costs the network.",
    "Pareto front": "No run is better than these in every objective at once.",
}


def _counts(study: Study) -> str:
    counts = study.counts()
    parts = [f"{n} {state}" for state, n in counts.items() if n and state != "declared"]
    sampler = (study.space.sampler or {}).get("_target_", "grid").rpartition(".")[2]
    return f"{', '.join(parts)} of {counts['declared']} runs · {sampler} · study {study.name}"


def _pivot(study: Study, rows: Sequence[Row]) -> str:
    """Validation AUC by the two axes of a grid, with the scatter over seeds where there are any."""
    axes = study.space.axes
    if study.space.sampler or len(axes) != 2 or any(axis.when for axis in axes.values()):
        return ""
    down, across = axes
    cells = {
        (row.point[down], row.point[across]): row.figure("best_validation_auc") for row in rows
    }
    heads = "".join(f"<th>{escape(f'{across} {one}')}</th>" for one in axes[across].ends())
    lines = [
        f"<tr><td>{escape(str(one))}</td>"
        + "".join(f"<td>{cells.get((one, other), '–')}</td>" for other in axes[across].ends())
        + "</tr>"
        for one in axes[down].ends()
    ]
    seeds = study.space.seeds
    note = f", mean ± standard deviation over {len(seeds)} seeds" if seeds else ""
    return (
        f"<h2>Validation AUC{note}</h2><table><tr><th>{escape(down)}</th>{heads}</tr>"
        f"{''.join(lines)}</table>"
    )


def _table(study: Study, ranked: Sequence[Row]) -> str:
    shown = headings([*study.space.objectives, *study.space.columns])
    best = front(ranked, study.space.objectives)
    lines = [
        f"<tr{' class=best' if row in best else ''}><td>{escape(row.name)}</td>"
        + "".join(f"<td>{row.figure(metric)}</td>" for metric in shown)
        + "</tr>"
        for row in ranked
    ]
    heads = "".join(f"<th>{escape(heading)}</th>" for heading in shown.values())
    return f"<h2>Models</h2><table><tr><th>model</th>{heads}</tr>{''.join(lines)}</table>"


def _curves(study: Study, best: Row, tracker: Tracker) -> Figure:
    curves, ended, thick = {}, set(), best.name
    for trial in study.latest():
        run, seed = trial.user_attrs.get(RUN), trial.user_attrs.get(SEED)
        if run is None:
            continue
        name = study.space.title(parameters(trial)) + (f", seed {seed}" if seed is not None else "")
        if name in curves:
            name = f"{name} ({trial.user_attrs[POINT]})"
        curves[name] = tracker.history(run, "validation_auc")
        if STATES[trial.state] != "complete":
            ended.add(name)
        if run == best.best_run:
            thick = name
    return charts.learning_curves(curves, best=thick, ended=ended)


def _rocs(rows: Sequence[Row], pairs: PairStore, tracker: Tracker) -> Figure:
    matched, fold = pairs.pairs.matched, pairs.pairs.fold

    def curve(row: Row) -> charts.Rates:
        stored = np.load(tracker.artifact(row.best_run, "distances.npz"))
        true = mean_roc(stored["verification"], matched, fold, grid=GRID)
        return np.array([0, *GRID]), np.array([0, *true])

    return charts.roc_curves(
        {f"{row.name} (AUC {row.mean('auc'):.3f})": curve(row) for row in rows}
    )


def _ended(study: Study) -> str:
    """The runs that ended early or failed, each with its reason."""
    lines = []
    for trial in study.latest():
        notes: Mapping[str, object] = trial.user_attrs
        if why := notes.get(ERROR) or notes.get(REASON):
            name = escape(study.space.title(parameters(trial)))
            state = STATES[trial.state]
            lines.append(
                f"<tr><td>{name}</td><td>{state}</td><td class=why>{escape(str(why))}</td></tr>"
            )
    if not lines:
        return ""
    return f"<h2>Ended early</h2><table>{''.join(lines)}</table>"
