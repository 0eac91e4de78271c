"""The result of a sweep: its table, the conclusion, the champion and the report."""

import webbrowser
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console

from tripletlab import config
from tripletlab.errors import Deleted, InputError
from tripletlab.evaluation.bootstrap import RESAMPLES
from tripletlab.evaluation.distance_files import read_distances
from tripletlab.evaluation.metrics import SCORE
from tripletlab.evaluation.protocol import Distances
from tripletlab.experiment.data import Data
from tripletlab.faces.store import FaceStore, PairStore
from tripletlab.sweeping.report import report
from tripletlab.sweeping.significance import compare_models
from tripletlab.sweeping.study import STORES, Study, find_study, reason
from tripletlab.sweeping.table import (
    MAX_ROWS,
    ModelRow,
    conclusion,
    headings,
    markdown,
    pareto_front,
    print_table,
)
from tripletlab.system.files import write_whole
from tripletlab.tracking import TrackedRun, Tracker


def conclude(study: Study, data: Data, tracker: Tracker, *, parent: TrackedRun | None) -> None:
    """Print the table on stdout, promote the best model, and log table and report to `parent`."""
    rows, text = summarise(study, data.faces, tracker)
    title = title_of(study, data)
    shown = headings([*study.space.objectives, *study.space.columns])
    bold = pareto_front(rows, study.space.objectives)
    listed = rows
    if len(rows) > MAX_ROWS:
        listed = sorted(rows, key=lambda row: row.score, reverse=True)[:MAX_ROWS]
    console = Console(highlight=False, markup=False)
    print_table(listed, title=title, shown=shown, bold=bold, console=console)
    promoted = _promoted(rows, tracker)
    console.print(text)
    console.print(promoted)
    if parent:
        text = f"{text} ({promoted}.)"
        page = report(study, rows, data.pairs, tracker, title=title, conclusion=text)
        with TemporaryDirectory(prefix="tripletlab-") as scratch:
            (Path(scratch) / "report.html").write_text(page)
            content = markdown(rows, title=title, shown=shown, conclusion=text)
            (Path(scratch) / "table.md").write_text(content)
            parent.files(Path(scratch))


def open_report(words: Sequence[str]) -> None:
    """Write the report of a sweep that has run or is running, and open it in the browser."""
    names, overrides = config.split_words(words)
    base = config.compose_studies(overrides, command="report")
    study = find_study(base.studies, names[0] if names else None)
    tracker: Tracker = base.tracking.build()
    tracker.open_existing()
    recorded = (study.note(STORES) or "").split("\n")
    faces, pairs = (_current(Path(one), base.data) for one in recorded)
    data = Data(FaceStore.open(faces), PairStore.open(pairs))
    rows, text = summarise(study, data.faces, tracker)
    page = report(study, rows, data.pairs, tracker, title=title_of(study, data), conclusion=text)
    place = Path(tracker.folder).resolve() / "sweeps" / study.name
    path = place / "report.html" if tracker.writable else Path(f"{study.name}.html").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, page.encode())
    print(path)
    webbrowser.open(path.as_uri())


def _current(recorded: Path, data: Path) -> Path:
    """A store of the study: in the data folder, which may have been moved, else as recorded."""
    tails = (Path(*recorded.parts[-depth:]) for depth in (2, 3))
    return next((data / tail for tail in tails if (data / tail).is_file()), recorded)


def title_of(study: Study, data: Data) -> str:
    """The space, and the data it was run on."""
    return f"{study.space.name}: {data.faces.title}, evaluated on {data.pairs.title}"


def summarise(study: Study, faces: FaceStore, tracker: Tracker) -> tuple[list[ModelRow], str]:
    """The finished points in the order of the space, and the conclusion from their comparison.

    InputError where there is none.
    """
    rows = _finished(study)
    if not rows:
        reasons = {reason(trial) for trial in study.latest()} - {""}
        raise InputError(f"no run was completed: {'; '.join(sorted(reasons)) or 'none began'}")
    rows, models, gone = _kept(rows, tracker)
    if not rows:
        raise InputError(
            f"the runs of {study.name} were deleted in MLflow; tripletlab sweep --fresh runs them"
            " anew"
        )
    people_of = faces.labels[np.stack([faces.validation.first, faces.validation.second], axis=1)]
    draws = {"resamples": RESAMPLES, "seed": 0}
    found = compare_models(models, faces.validation.matched, people_of, **draws)
    text = conclusion(rows, found, pairs=len(people_of), people=len(np.unique(people_of)))
    if gone:
        text += f" Deleted in MLflow, and left out: {', '.join(gone)}."
    if study.space.several:
        names = " and ".join(study.space.objectives)
        best_trades = "; ".join(row.name for row in pareto_front(rows, study.space.objectives))
        text += f" Pareto front of {names}: {best_trades}."
    counts = study.counts()
    parts = [f"{counts[how]} {how}" for how in ("pruned", "failed", "waiting") if counts[how]]
    if parts:
        text += f" Of {counts['declared']} runs: {', '.join(parts)} (tripletlab sweep status)."
    return rows, text


def _finished(study: Study) -> list[ModelRow]:
    """A row for each point with finished runs, in the order of the space."""
    rows = [
        ModelRow(study.space.title(point), point, *map(tuple, zip(*runs, strict=True)))
        for point, runs in study.finished()
    ]
    if any(SCORE not in metrics for row in rows for metrics in row.metrics):
        raise InputError(f"{study.name}: its runs, of an earlier version, have no {SCORE}")
    return rows


def _kept(
    rows: Sequence[ModelRow], tracker: Tracker
) -> tuple[list[ModelRow], list[list[Distances]], list[str]]:
    """The rows whose runs are there, the validation distances of each, and the others' names."""
    kept, models, gone = [], [], []
    for row in rows:
        try:
            files = [tracker.runs.artifact(run, "distances.npz") for run in row.run_ids]
        except Deleted:
            gone.append(row.name)
            continue
        kept.append(row)
        models.append([read_distances(file, "validation") for file in files])
    return kept, models, gone


def _promoted(rows: Sequence[ModelRow], tracker: Tracker) -> str:
    """Register the best network that was not deleted, and promote it; says what came of it."""
    missing = []
    for row in sorted(rows, key=lambda row: row.score, reverse=True):
        try:
            model = tracker.models.register(row.best_run)
        except Deleted:
            missing.append(row.name)
            continue
        note = f" (deleted in MLflow: the model of {', '.join(missing)})" if missing else ""
        if tracker.models.promote(model):
            return f"champion: {model.name}, from the run {row.name}{note}"
        return f"{model.name} keeps its champion: an earlier run has a better validation AUC{note}"
    return "no champion: the models of these runs were deleted in MLflow"
