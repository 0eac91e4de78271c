"""`tripletlab evaluate`: the LFW protocol for a network trained here or elsewhere."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.table import Table

from tripletlab.evaluation.metrics import METRICS
from tripletlab.experiment.evaluation import evaluate_embeddings
from tripletlab.experiment.results_folder import label_of, results_folder
from tripletlab.experiment.target import (
    EvaluationTarget,
    about_people,
    faces_of,
    find_target,
    tracker_of,
)
from tripletlab.system.files import copy_files, make_output_folder
from tripletlab.system.progress import result_console, say
from tripletlab.system.provenance import ENVIRONMENT, environment
from tripletlab.training import backend

SHOWN = ("accuracy", "precision", "recall", "auc", "auc_pooled", "threshold")


def evaluate(what: str, overrides: Sequence[str], *, folder: Path | None) -> Path:
    """Evaluate a run, a version or a file of embeddings; card and pictures go into the folder.

    Without one they go into the tracking folder. Those of a run are logged to it as well, and
    its figures as metrics under the name of the verification set.
    """
    tracker = tracker_of(overrides, writable=folder is None)
    if folder:
        make_output_folder(folder)
    target = find_target(what, overrides, tracker)
    label = label_of(target)
    place = folder or results_folder(Path(tracker.folder), what, label)
    about = target.about | about_people(target)
    say(f"{target.name}: its embeddings are evaluated, and pictures of them drawn")
    with TemporaryDirectory(prefix="tripletlab-") as scratch:
        distances, summary = evaluate_embeddings(
            target.embeddings,
            target.store,
            snapshots=[],
            name=target.name,
            about=about,
            flip=target.flip,
            folder=Path(scratch),
        )
        np.savez_compressed(Path(scratch) / "distances.npz", verification=distances)
        where = {**environment(), **(backend.description() if target.run_id else {})}
        (Path(scratch) / ENVIRONMENT).write_text(json.dumps(where, indent=2), "utf-8")
        copy_files(Path(scratch), place, last="card.json")
        if target.run_id and tracker.writable:
            run = tracker.reopened(target.run_id)
            run.files(Path(scratch), under=f"evaluations/{label}")
            run.metrics({f"{label}/{name}": value for name, value in summary.items()})
    _print_result(target, summary, place)
    if target.run_id and tracker.writable:
        say(f"logged to the run {target.run_id}")
    elif target.run_id:
        say(f"not logged to the run {target.run_id}: {tracker.folder} is read-only")
    return place


def print_faces(what: str | None, overrides: Sequence[str]) -> None:
    """Print the faces of the verification set, one a line, in the order that a .npy file needs."""
    for source in faces_of(what, overrides):
        print(source)


def _print_result(target: EvaluationTarget, summary: dict[str, float], place: Path) -> None:
    pairs = len(target.store.pairs)
    table = Table(
        title=f"{target.name} on {target.store.title}, {pairs:,} pairs", title_justify="left"
    )
    table.add_column("score")
    table.add_column("", justify="right")
    for name in SHOWN:
        metric, scatter = METRICS[f"test/{name}"], summary["accuracy_std"]
        figure = metric.figure(summary[name])
        if name == "accuracy":
            table.add_row("accuracy ± std over folds", f"{figure} ± {metric.figure(scatter)}")
        else:
            table.add_row(metric.heading, figure)
    result_console().print(table)
    say(f"written: {place / 'card.html'}")
