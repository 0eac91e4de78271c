"""The result of a sweep: its table, the conclusion, the champion and the report."""

import webbrowser
from collections import Counter
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from tripletlab import config
from tripletlab.errors import Deleted, InputError
from tripletlab.evaluation.bootstrap import RESAMPLES
from tripletlab.evaluation.distance_files import read_distances
from tripletlab.evaluation.metrics import SCORE, describe
from tripletlab.evaluation.protocol import Distances
from tripletlab.experiment.data import Data, log_data
from tripletlab.faces.store import FaceStore, PairStore
from tripletlab.plots.page import markdown_page
from tripletlab.sweeping.conclusion import (
    conclusion,
    effect_sentence,
    effects_table,
    equal_models,
    listed,
)
from tripletlab.sweeping.contrasts import contrasts_of, effects
from tripletlab.sweeping.report import Summary, report
from tripletlab.sweeping.scaling import curves_of, scaling_table
from tripletlab.sweeping.significance import rank, resample_aucs
from tripletlab.sweeping.storage import existing_storage
from tripletlab.sweeping.study import (
    METRICS,
    RUN,
    SEED,
    STATES,
    STORES,
    Study,
    parameters,
    reason,
)
from tripletlab.sweeping.table import (
    MAX_ROWS,
    ModelRow,
    headings,
    model_table,
    pareto_front,
    print_page_table,
    print_table,
    scatter_note,
)
from tripletlab.system.files import write_whole
from tripletlab.system.progress import result_console, say
from tripletlab.tracking import TrackedRun, Tracker


def conclude(study: Study, data: Data, tracker: Tracker, *, parent: TrackedRun | None) -> None:
    """Print the tables on stdout, promote the best model, and record it all in `parent`."""
    found, title = summarise(study, data.faces, tracker), title_of(study, data)
    rows = found.rows
    shown = headings([*study.space.objectives, *study.space.columns])
    bold = pareto_front(rows, study.space.objectives)
    highest = rows
    if len(rows) > MAX_ROWS:
        highest = sorted(rows, key=lambda row: row.score, reverse=True)[:MAX_ROWS]
    console = result_console()
    print_table(highest, title=title, shown=shown, bold=bold, console=console)
    for table in found.tables:
        print_page_table(table, console=console)
    promoted = _promoted(rows, tracker)
    console.print(found.conclusion)
    console.print(promoted.text)
    if parent:
        text = f"{found.conclusion}\n{promoted.text}."
        page = report(study, found, data.pairs, tracker, title=title, conclusion=text)
        whole, short = (
            markdown_page(
                title,
                text,
                [model_table(some, shown, note=scatter_note(rows), bold=bold), *found.tables],
            )
            for some in (rows, highest)
        )
        _record(parent, page, whole, promoted, data)
        parent.note(short)  # MLflow cuts a longer one off
    say(
        f"Next: `tripletlab report {study.name}` opens the report (make report: the latest),"
        " `tripletlab ui` (make ui) the runs, and `make webcam` shows the champion at the camera"
        " (`tripletlab export champion bundle`, then `tripletlab webcam bundle`)."
    )


def _record(parent: TrackedRun, page: str, content: str, promoted: "Promoted", data: Data) -> None:
    """Log the report, the tables, the winner and the data to the sweep's own run."""
    with TemporaryDirectory(prefix="tripletlab-") as scratch:
        (Path(scratch) / "report.html").write_text(page, "utf-8")
        (Path(scratch) / "table.md").write_text(content, "utf-8")
        parent.files(Path(scratch))
    log_data(data, parent)
    if promoted.row:
        parent.tag("winner", promoted.row.name)
        parent.tag("champion", promoted.champion)
        parent.metrics({name: promoted.row.mean(name) for name in promoted.row.common()})


def open_report(words: Sequence[str]) -> None:
    """Write the report of a sweep that has run or is running, and open it in the browser."""
    name, overrides = config.one_name(words)
    base = config.compose_studies(overrides, command="report")
    study = Study.find(existing_storage(base.studies), name)
    tracker: Tracker = base.tracking.build()
    tracker.open_existing()
    recorded = (study.note(STORES) or "").split("\n")
    faces, pairs = (_current(Path(one), base.data) for one in recorded)
    data = Data(FaceStore.open(faces), PairStore.open(pairs))
    found, title = summarise(study, data.faces, tracker), title_of(study, data)
    page = report(study, found, data.pairs, tracker, title=title, conclusion=found.conclusion)
    path = _write_report(page, study.name, tracker)
    print(path)
    webbrowser.open(path.as_uri())


def _write_report(page: str, name: str, tracker: Tracker) -> Path:
    """Write a page to the tracking folder, or to the working folder where that is read-only."""
    place = Path(tracker.folder).resolve() / "sweeps" / name
    path = place / "report.html" if tracker.writable else Path(f"{name}.html").resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page.encode())
    except OSError as error:
        advice = f"; {tracker.folder} is read-only, too: cd to a folder that is not"
        advice = "" if tracker.writable else advice
        raise InputError(f"{path}: cannot be written ({error.strerror}){advice}") from error
    return path


def _current(recorded: Path, data: Path) -> Path:
    """A store of the study: in the data folder, which may have been moved, else as recorded."""
    tails = (Path(*recorded.parts[-depth:]) for depth in (2, 3))
    return next((data / tail for tail in tails if (data / tail).is_file()), recorded)


def title_of(study: Study, data: Data) -> str:
    """The space, and the data it was run on."""
    return f"{study.space.name}: {data.title}"


def summarise(study: Study, faces: FaceStore, tracker: Tracker) -> Summary:
    """Compare the finished points of a study; InputError where there is none."""
    rows = _finished(study)
    if not rows:
        reasons = sorted({reason(trial) for trial in study.latest()} - {""})
        others = f"; the others' reasons: tripletlab sweep status {study.name}" * (len(reasons) > 1)
        raise InputError(f"no run was completed: {[*reasons, 'none began'][0]}{others}")
    rows, models, gone = _kept(rows, tracker)
    if not rows:
        raise InputError(
            f"the runs of {study.name} were deleted in MLflow; tripletlab sweep --fresh runs them"
            " anew"
        )
    people_of = faces.labels[faces.validation.sides]
    people, space = len(np.unique(people_of)), study.space
    aucs = resample_aucs(models, faces.validation.matched, people_of, resamples=RESAMPLES, seed=0)
    contrasts = contrasts_of(space, [row.point for row in rows])
    found = effects(contrasts, aucs, [row.seeds for row in rows], people=people)
    curves = curves_of(space, rows)
    texts = [
        conclusion(rows, rank(aucs, people=people), pairs=len(people_of), people=people),
        equal_models(rows, models),
        effect_sentence(found, ablation=space.ablation),
        f"Deleted in MLflow, and left out: {', '.join(gone)}." if gone else "",
    ]
    if space.several:
        names = listed([describe(one).heading for one in space.objectives])
        best_trades = "; ".join(row.name for row in pareto_front(rows, space.objectives))
        texts.append(f"Pareto front of {names}: {best_trades}.")
    counts = study.counts()
    parts = [f"{counts[how]} {how}" for how in ("pruned", "failed", "waiting") if counts[how]]
    if parts:
        texts.append(f"Of {counts['declared']} runs: {', '.join(parts)} (tripletlab sweep status).")
    texts.append(_without_seeds(study))
    tables = [effects_table(found, ablation=space.ablation)] if found else []
    tables += [scaling_table(curves, space.predict)] if curves else []
    return Summary(rows, "\n".join(filter(None, texts)), tables, found, curves)


def _finished(study: Study) -> list[ModelRow]:
    """A row for each point with finished runs, in the order of the space."""
    rows = [
        ModelRow(
            study.space.title(point),
            point,
            run_ids=tuple(one.user_attrs[RUN] for one in trials),
            metrics=tuple(one.user_attrs[METRICS] for one in trials),
            seeds=tuple(one.user_attrs[SEED] for one in trials),
        )
        for point, trials in study.finished()
    ]
    if any(SCORE not in metrics for row in rows for metrics in row.metrics):
        raise InputError(f"{study.name}: its runs, of an earlier version, have no {SCORE}")
    return rows


def _without_seeds(study: Study) -> str:
    """Which points have seeds that ended early or failed; nothing where each has one seed alone.

    The seeds that remain may be the better ones, which no interval counts.
    """
    seeds = len(study.seeds)
    over = [one for one in study.latest() if STATES[one.state] in ("pruned", "failed")]
    ended = Counter(study.space.title(parameters(trial)) for trial in over)
    if seeds == 1 or not ended:
        return ""
    names = listed([f"{name} ({count} of {seeds} seeds)" for name, count in ended.items()])
    return (
        f"Left out of the means, as they ended early or failed: {names}. The seeds that remain may"
        " be the better ones."
    )


def _kept(
    rows: Sequence[ModelRow], tracker: Tracker
) -> tuple[list[ModelRow], list[list[Distances]], list[str]]:
    """The rows whose runs are there, the validation distances of each, and the others' names."""
    files = tracker.runs.artifacts([run for row in rows for run in row.run_ids], "distances.npz")
    there = [files.keys() >= set(row.run_ids) for row in rows]
    kept = list(compress(rows, there))
    models = [[read_distances(files[run], "validation") for run in row.run_ids] for row in kept]
    gone = [row.name for row, found in zip(rows, there, strict=True) if not found]
    return kept, models, gone


class Promoted(NamedTuple):
    """What came of the promotion: a sentence, the row of the best network, and the champion."""

    text: str
    row: ModelRow | None = None
    champion: str = ""  # the registered version, or why it is another's


def _promoted(rows: Sequence[ModelRow], tracker: Tracker) -> Promoted:
    """Register the best network that was not deleted, and promote it."""
    missing = []
    for row in sorted(rows, key=lambda row: row.score, reverse=True):
        try:
            model = tracker.models.register(row.best_run)
        except Deleted:
            missing.append(row.name)
            continue
        note = f" (deleted in MLflow: the model of {', '.join(missing)})" if missing else ""
        if tracker.models.promote(model):
            text = f"champion: {model.name}, from the run {row.name}{note}"
            return Promoted(text, row, str(model))
        why = "an earlier run's validation AUC is at least as high"
        text = f"{model.name} keeps its champion: {why}{note}"
        return Promoted(text, row, "of an earlier sweep")
    return Promoted("no champion: the models of these runs were deleted in MLflow")
