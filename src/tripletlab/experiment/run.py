"""One run: its parts are built, fitted, evaluated and logged. `train` and a sweep's trial call it.

It imports Keras: training.backend.load comes first.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import yaml

from tripletlab.config import RunConfig
from tripletlab.evaluation.metrics import final_table
from tripletlab.experiment.components import Components, build_components, check_triplets
from tripletlab.experiment.data import Data, check_sources, log_data, prepare
from tripletlab.experiment.final_metrics import test_metrics, training_metrics
from tripletlab.experiment.report import Follower, RunReport
from tripletlab.experiment.resumption import earlier
from tripletlab.experiment.snapshots import Snapshot
from tripletlab.plots.learning_curves import draw_learning
from tripletlab.system.progress import bar, say
from tripletlab.system.provenance import ENVIRONMENT, environment
from tripletlab.system.redaction import redacted
from tripletlab.tracking import SHORT, TrackedRun, Tracker
from tripletlab.training import backend
from tripletlab.training.checkpoint import Progress
from tripletlab.training.guard import Collapsed
from tripletlab.training.rates import scheduled


@dataclass(frozen=True)
class Outcome:
    """A finished run, and the metrics that were logged at its end."""

    run_id: str
    metrics: dict[str, float]


def train(config: RunConfig, *, fresh: bool, register: bool) -> None:
    """`tripletlab train`: a run of its own; prints its metrics and its id.

    A run of the same config, data and code that was stopped goes on from its last epoch; one that
    is finished is shown and not repeated. `fresh` begins anew. `register` adds the network to the
    registry, and makes it champion if its validation AUC is the highest on these faces.
    """
    table = final_table(config.metrics)
    check_triplets(config)
    check_sources(config)  # before a store for runs is made
    tracker: Tracker = config.tracking.build()
    tracker.open()
    data = prepare(config, fresh=False)
    with earlier(config, data, tracker, fresh=fresh) as known:
        if known.run and known.run.status == "FINISHED":
            say(f"the run {known.run.run_id} is there already; --fresh trains it anew")
            outcome = Outcome(known.run.run_id, dict(known.run.metrics))
        else:
            outcome = run(
                config,
                data,
                name=f"{config.choices['miner']} {config.margin}",
                tracker=tracker,
                tags=known.tags,
                resume=known.run.run_id if known.run else None,
                checkpoint=known.checkpoint,
            )
    for name, metric in table.items():
        if name in outcome.metrics:
            print(f"{name}\t{outcome.metrics[name]:.{metric.digits}f}")
    print(f"run\t{outcome.run_id}")
    if register:
        model = tracker.models.register(outcome.run_id)
        champion = tracker.models.promote(model)
        print(f"model\t{model}")
        print(f"champion\t{'yes' if champion else 'no'}")
    _say_next(outcome.run_id, tracker)


def _say_next(run_id: str, tracker: Tracker) -> None:
    """Say where the run's card is, unless a server keeps it, and what can be done with the run."""
    card = Path(tracker.folder).resolve() / "artifacts" / run_id / "artifacts" / "card.html"
    if card.is_file():
        say(f"card: {card}")
    say(
        f"Next: `tripletlab export {run_id[:SHORT]} bundle` exports the network, and `tripletlab"
        " ui` (make ui) shows all runs."
    )


def run(
    config: RunConfig,
    data: Data,
    *,
    name: str,
    tracker: Tracker,
    tags: Mapping[str, str] = MappingProxyType({}),
    parent: str | None = None,
    resume: str | None = None,
    checkpoint: Path | None = None,
    follower: Follower | None = None,
) -> Outcome:
    """One run, from fresh weights to its evaluation, all of it logged to MLflow.

    `parent` nests it in another run, `resume` continues the run of that id. The fit goes on from
    `checkpoint` if that file exists; the caller deletes it in the end.
    """
    backend.start(seed=config.seed)
    parts = build_components(config, data)  # what cannot be built leaves no run behind
    tags, own = {**_data_tags(data), **tags}, f"{name} on {data.faces.title}"
    with (
        tracker.run(own, params=config.params(), tags=tags, parent=parent, resume=resume) as log,
        TemporaryDirectory(prefix="tripletlab-") as scratch,
    ):
        if follower:
            follower.began(log.run_id)
        folder = Path(scratch)
        _log_inputs(config, data, log, folder)  # now: a run that fails needs them most
        before = parts.embed(data.pairs.images)
        progress, snapshots = _fit(config, data, parts, log, name, checkpoint, follower)
        say(f"{name}: the network is evaluated, and its pictures are drawn")
        title = f"{name} on {data.faces.title}, {len(parts.batches.trained_on):,} people"
        path, best = folder / "learning.png", progress.best_epoch
        draw_learning(progress.metrics, best=best, title=title, path=path)
        metrics = training_metrics(parts, progress, margin=config.margin)
        metrics |= test_metrics(parts, data, progress, before, snapshots, name=name, folder=folder)
        log.metrics(metrics)
        log.files(folder)
        log.model(parts.embedder)
    return Outcome(log.run_id, metrics)


def _data_tags(data: Data) -> dict[str, str]:
    """The tags by which runs on the same data are found."""
    return {
        "photos": data.faces.title,
        "verification": data.pairs.title,
        "faces_fingerprint": data.faces.fingerprint,
        "pairs_fingerprint": data.pairs.fingerprint,
    }


def _log_inputs(config: RunConfig, data: Data, log: TrackedRun, folder: Path) -> None:
    """Log the data, the config and the environment."""
    log_data(data, log)
    (folder / "config.yaml").write_text(
        redacted(yaml.safe_dump(config.tree, sort_keys=False)), "utf-8"
    )
    known = {**environment(), **backend.description()}
    (folder / ENVIRONMENT).write_text(json.dumps(known, indent=2), "utf-8")
    log.files(folder)


def _fit(
    config: RunConfig,
    data: Data,
    parts: Components,
    log: TrackedRun,
    name: str,
    checkpoint: Path | None,
    follower: Follower | None,
) -> tuple[Progress, list[Snapshot]]:
    """Fit the model; the snapshots are those of every epoch that this process trained."""
    batches = parts.batches
    if batches.why_left_out:
        why = "; ".join(batches.why_left_out)
        say(f"warning: batches.people and batches.photos leave people out: {why}")
    steps = len(batches) * config.fit["epochs"]
    faces = data.pairs.images[data.pairs.map_rows]
    with bar(name, total=steps) as advance:
        report = RunReport(name, log, advance, partial(parts.embed, faces), follower)
        try:
            progress: Progress = config.fit.build()(
                parts.model,
                batches,
                optimizer=scheduled(
                    config.optimizer.build(), config.rate_schedule.build(), steps=steps
                ),
                margin=config.margin_schedule.build(),
                guard=config.guard.build(),
                evaluate=parts.validate,
                report=report,
                checkpoint=checkpoint,
            )
        except Collapsed as collapsed:
            log.tag("collapsed", str(collapsed.epoch))
            raise
    return progress, report.snapshots
