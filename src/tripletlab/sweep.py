"""`tripletlab sweep`: a run for every cell of a grid, a table of them, and a champion."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.locks import held
from tripletlab.prepare import Data, prepare
from tripletlab.progress import cores, say
from tripletlab.provenance import code_fingerprint
from tripletlab.sweeping.spaces import Space, cell_name, read_space
from tripletlab.sweeping.study import Study, digest
from tripletlab.sweeping.table import Row, conclusion, markdown, table
from tripletlab.tracking import Tracker
from tripletlab.train import model_name, train
from tripletlab.verification.bootstrap import RESAMPLES, auc_lead, auc_standard_error
from tripletlab.verification.protocol import Distances

IMAGES_PER_SECOND = 150  # a core's, nn4_small2_half in float32 with AVX2; 95 to 220 were seen
PARENT = "parent_run"


def sweep(space_name: str, overrides: Sequence[str], *, fresh: bool) -> None:
    """Run what is missing of the grid, print the table, and crown the best run's model.

    `fresh` forgets the finished runs (MLflow keeps them) and begins anew.
    """
    space = _find_space(space_name)
    cells = {
        cell_name(cell): config.compose("train", [*overrides, *_as_overrides(cell)])
        for cell in space.cells()
    }
    for composed in cells.values():
        config.check(composed.config)
    plain = next(iter(cells.values())).config
    tracker: Tracker = config.build(plain, "tracking")
    with held(Path(tracker.folder) / "live" / "sweep") as free:
        if not free:
            raise InputError(f"another sweep is at work in {tracker.folder}; let it end first")
        say(_plan(space, plain))
        data = prepare(plain, fresh=False)
        tracker.open()
        study = _open_study(space, cells, data, tracker, fresh=fresh)
        _run_missing(space, cells, data, tracker, study)


def _run_missing(
    space: Space,
    cells: Mapping[str, config.Composed],
    data: Data,
    tracker: Tracker,
    study: Study,
) -> None:
    missing = study.missing()
    if len(missing) < len(cells):
        say(f"{len(cells) - len(missing)} of {len(cells)} runs are there already")
    if not missing:
        _conclude(data, tracker, study, title=_title(space, data))
        return
    title = _title(space, data)
    resume = study.recall(PARENT)
    with tracker.run(title, params={"space": space.name}, tags={}, resume=resume) as parent:
        study.remember(PARENT, parent.run_id)

        def trial(cell: dict[str, Any]) -> tuple[float, Mapping[str, Any]]:
            name = cell_name(cell)
            outcome = train(cells[name], data, name=name, tracker=tracker, parent=parent.run_id)
            notes = {"run_id": outcome.run_id, "metrics": outcome.metrics}
            return outcome.metrics["best_validation_auc"], notes

        study.run(trial)
        with TemporaryDirectory(prefix="tripletlab-") as scratch:
            rows, text = _conclude(data, tracker, study, title=title)
            content = markdown(rows, title=title, conclusion=text)
            (Path(scratch) / "table.md").write_text(content)
            parent.files(Path(scratch))


def _conclude(data: Data, tracker: Tracker, study: Study, *, title: str) -> tuple[list[Row], str]:
    """Print the table on stdout; give the alias `champion` to the best run's model."""
    rows = [
        Row(cell_name(trial.params), trial.user_attrs["run_id"], trial.user_attrs["metrics"])
        for trial in study.finished()
    ]
    if not rows:
        raise InputError("every cell diverged; give a lower optimizer.learning_rate")
    best, *others = sorted(rows, key=lambda row: row.score, reverse=True)
    text = _conclusion(best, others[0] if others else None, data, tracker)
    if failed := study.missing():
        text += f" Diverged: {', '.join(map(cell_name, failed))}."
    model = model_name(data)
    crowned = tracker.crown(model, run_id=best.run_id, metric="best_validation_auc")
    console = Console(highlight=False)
    console.print(table(rows, title=title))
    console.print(text)
    if crowned:
        console.print(f"champion: {model}, from the run {best.name}")
    else:
        console.print(f"{model} keeps its champion: an earlier run has a better validation AUC")
    return rows, text


def _conclusion(best: Row, second: Row | None, data: Data, tracker: Tracker) -> str:
    """Hold the best row's lead against the error of a bootstrap over the validation people."""
    pairs = data.faces.validation
    people = data.faces.labels[np.stack([pairs.first, pairs.second], axis=1)]
    draws = {"resamples": RESAMPLES, "seed": 0}

    def distances(row: Row) -> Distances:
        stored = np.load(tracker.artifact(row.run_id, "distances.npz"))
        return np.asarray(stored["validation"])

    own = distances(best)
    error = auc_standard_error(own, pairs.matched, people, **draws)
    lead = auc_lead((own, distances(second)), pairs.matched, people, **draws) if second else None
    return conclusion(
        best,
        second,
        error=error,
        lead=lead,
        pairs=len(pairs.first),
        people=len(np.unique(people)),
    )


def _open_study(
    space: Space,
    cells: Mapping[str, config.Composed],
    data: Data,
    tracker: Tracker,
    *,
    fresh: bool,
) -> Study:
    """The study of these configs on these data; says when code or data have changed."""
    configs = [
        {
            key: value
            for key, value in config.resolved(cell.config).items()
            if key not in ("tracking", "data")
        }
        for cell in cells.values()
    ]
    recipe = digest(space.axes, configs)
    name = f"{space.name}-{digest(recipe, data.faces.fingerprint, data.pairs.fingerprint)}"
    study = Study(Path(tracker.folder), name=name, space=space, fresh=fresh)
    if study.siblings("recipe", recipe) and study.recall("recipe") is None:
        say("The photos have changed since this sweep last ran: all of it runs on the new ones.")
    study.remember("recipe", recipe)
    before = study.remember("code", code_fingerprint())
    if before not in (None, code_fingerprint()):
        say(
            "The code has changed since this sweep began; its finished runs stay."
            " `tripletlab sweep --fresh` (make sweep FRESH=1) runs them anew."
        )
    return study


def _plan(space: Space, plain: Mapping[str, Any]) -> str:
    """What will be done, and about how long it takes."""
    epochs, batches = plain["fit"]["epochs"], plain["batches"]
    faces = batches["people"] * batches["photos"]
    images = epochs * batches["steps"] * faces
    cells = space.cells()
    minutes = len(cells) * (images / (IMAGES_PER_SECOND * cores()) + 20) / 60
    return (
        f"Sweep {space.name}: {len(cells)} runs ({', '.join(map(cell_name, cells))}), each at most"
        f" {epochs} epochs of {batches['steps']} batches of {faces} faces.\n"
        f"About {max(1, round(minutes))} minutes on {cores()} cores without a GPU, after the photos"
        " are prepared. Ctrl-C stops it, and the same command goes on."
    )


def _title(space: Space, data: Data) -> str:
    return f"{space.name}: {data.faces.title}, judged by {data.pairs.title}"


def _find_space(name: str) -> Space:
    path = Path(name)
    return read_space(path if path.suffix else config.folder("sweeps") / f"{name}.yaml")


def _as_overrides(cell: Mapping[str, Any]) -> list[str]:
    return [f"{key}={value}" for key, value in cell.items()]
