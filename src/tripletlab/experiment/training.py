"""The training proper: an untrained network of the config in, a trained one out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import keras
import numpy as np

from tripletlab.config import RunConfig
from tripletlab.evaluation.flip import flipped
from tripletlab.evaluation.protocol import Distances
from tripletlab.evaluation.validation import Validation
from tripletlab.experiment.components import Components, costs
from tripletlab.experiment.data import Data
from tripletlab.experiment.evaluation import Embeddings, Snapshot
from tripletlab.system.progress import bar, say
from tripletlab.tracking.runs import Tracked
from tripletlab.training.batches import Batches
from tripletlab.training.checkpoint import Progress
from tripletlab.training.guard import Collapsed, embedding_statistics
from tripletlab.training.inference import copied, embed
from tripletlab.training.model import TripletModel
from tripletlab.training.rates import scheduled

FRAMES = 9  # of the animation of the map, at most
Epoch = Callable[[int, dict[str, float]], None]  # an epoch, from 1, and its metrics


@dataclass(frozen=True)
class Fitted:
    """A trained embedder, and its embeddings of the verification faces."""

    embedder: keras.Model
    before: Embeddings  # by the untrained network
    after: Embeddings
    snapshots: Sequence[Snapshot]  # from the untrained network to the one that is kept
    chosen_by: Distances  # of the validation pairs
    trained_on: dict[str, str]  # folders and names of the people that the batches showed
    left_out: list[str]  # why training people were in no batch
    metrics: dict[str, float]


@dataclass(frozen=True)
class _Report:
    """Tells of a fit: the bar on screen, a line an epoch, the metrics to the run.

    `look` gives the embeddings of the map's faces, kept after every epoch.
    """

    name: str
    run: Tracked
    advance: Callable[[int], None]
    look: Callable[[], Embeddings]
    watch: Epoch | None
    snapshots: list[Snapshot] = field(default_factory=list)

    def step(self) -> None:
        """A batch was learned from."""
        self.advance(1)

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch ended."""
        self.run.metrics(metrics, step=epoch)
        self.snapshots.append(Snapshot(epoch, self.look()))
        say(
            f"{self.name}, epoch {epoch}: loss {metrics['loss']:.4f},"
            f" {metrics['active']:.0%} of pairs active,"
            f" validation AUC {metrics['validation_auc']:.3f},"
            f" {metrics['images_per_second']:,.0f} images/s"
        )
        if self.watch:
            self.watch(epoch, metrics)


def fitted(
    config: RunConfig,
    data: Data,
    parts: Components,
    run: Tracked,
    *,
    name: str,
    checkpoint: Path | None,
    watch: Epoch | None,
) -> Fitted:
    """Train the config's network; `watch` is told of every epoch after the run.

    The seed is set before (training.backend.start), which makes all of it repeatable.
    """
    validation = Validation(data.faces)
    model, exact, batches = parts
    if batches.why_left_out:
        why = "; ".join(batches.why_left_out)
        say(f"warning: batches.people and batches.photos leave people out: {why}")
    embedded = partial(embed, exact)  # the validation brings the weights of the epoch
    look = partial(flipped, embedded) if config.flip else embedded
    faces, on_map = data.pairs.images, data.pairs.map_rows
    before = look(faces)

    def evaluate(network: keras.Model, margin: float) -> dict[str, float]:
        embeddings = embed(copied(network, to=exact), validation.faces)
        return {**validation.evaluate(embeddings, margin), **embedding_statistics(embeddings)}

    with bar(name, total=len(batches) * config.fit["epochs"]) as advance:
        report = _Report(name, run, advance, partial(look, faces[on_map]), watch)
        try:
            progress = _fit(config, model, batches, evaluate, report, checkpoint)
        except Collapsed as collapsed:
            run.tag("collapsed", str(collapsed.epoch))
            raise
    embedder = copied(model.embedder, to=exact)
    embeddings = embed(embedder, validation.faces)
    figures = validation.evaluate(embeddings, config.margin)  # whatever the schedule made of it
    metrics = {
        "best_epoch": progress.best_epoch,
        "steps": progress.epoch * len(batches),
        "training_identities": len(batches.trained_on),
        "training_identities_left_out": len(batches.left_out),
        "best_validation_auc": figures["validation_auc"],
        "best_validation_loss": figures["validation_loss"],
        **costs(progress, embedder, validation.faces),
    }
    after = look(faces)
    first, last = Snapshot(0, before[on_map]), Snapshot(progress.best_epoch, after[on_map])
    snapshots = _animation(first, report.snapshots, last)
    return Fitted(
        embedder,
        before,
        after,
        snapshots,
        validation.distances(embeddings),
        batches.trained_on,
        batches.why_left_out,
        metrics,
    )


def _fit(
    config: RunConfig,
    model: TripletModel,
    batches: Batches,
    evaluate: Callable[[keras.Model, float], dict[str, float]],
    report: _Report,
    checkpoint: Path | None,
) -> Progress:
    """The config's fit, with its optimizer, margins and guard."""
    steps = len(batches) * config.fit["epochs"]
    rates = config.rate_schedule.build()
    progress: Progress = config.fit.build()(
        model,
        batches,
        optimizer=scheduled(config.optimizer.build(), rates, steps=steps),
        margin=config.margin_schedule.build(),
        guard=config.guard.build(),
        evaluate=evaluate,
        report=report,
        checkpoint=checkpoint,
    )
    return progress


def _animation(first: Snapshot, between: Sequence[Snapshot], last: Snapshot) -> list[Snapshot]:
    """At most FRAMES snapshots, evenly spread, the first and the last among them.

    A resumed run has no snapshots of the epochs before it was stopped.
    """
    kept = [first, *(snapshot for snapshot in between if snapshot.epoch < last.epoch), last]
    places = np.linspace(0, len(kept) - 1, min(FRAMES, len(kept))).round().astype(int)
    return [kept[place] for place in places]
