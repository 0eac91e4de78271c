"""`tripletlab train`: faces become a network that is judged, logged and registered."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
import yaml

from tripletlab import config
from tripletlab.faces.store import TRAIN, PairStore
from tripletlab.photos.sources import slug
from tripletlab.pictures.learning import draw_learning
from tripletlab.progress import bar, say
from tripletlab.provenance import fingerprint
from tripletlab.tracking import Tracked, Tracker
from tripletlab.verbs.judge import PEOPLE, Embeddings, Moment, about_training, judge_embeddings
from tripletlab.verbs.prepare import Data
from tripletlab.verification.flip import Embed, flipped
from tripletlab.verification.protocol import Distances, judge, pair_distances

FRAMES = 9  # of the film of the map, at most


@dataclass(frozen=True)
class Outcome:
    """What a finished run has to say; `metrics` are those logged at its end."""

    run_id: str
    metrics: dict[str, float]


class Watch(Protocol):
    """What follows a run from outside; an exception of its own ends the run."""

    def began(self, run_id: str) -> None:
        """The run is there."""

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch ended; the first is 1."""


def model_name(data: Data) -> str:
    """The registered model: one for each set of training faces, so that no other dethrones it."""
    return f"tripletlab-{slug(data.faces.title)}-{data.faces.fingerprint[:8]}"


def train(
    composed: config.Composed,
    data: Data,
    *,
    name: str,
    tracker: Tracker,
    parent: str | None = None,
    resume: str | None = None,
    checkpoint: Path | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """One run, from fresh weights to a registered version of the model.

    `parent` nests it in another run, `resume` continues the run of that id. Where `checkpoint` is
    there the fit goes on from it; the caller deletes it when all is done.
    """
    plain = config.resolved(composed.config)
    params = {**composed.choices, **config.flat(plain)}
    tags = {
        "photos": data.faces.title,
        "verification": data.pairs.title,
        "faces_fingerprint": data.faces.fingerprint,
        "pairs_fingerprint": data.pairs.fingerprint,
    }
    with (
        tracker.run(name, params=params, tags=tags, parent=parent, resume=resume) as run,
        TemporaryDirectory(prefix="tripletlab-") as scratch,
    ):
        if watch:
            watch.began(run.run_id)
        for role, seen in (("training", data.faces), ("verification", data.pairs)):
            run.dataset(seen.path, title=seen.title, fingerprint=seen.fingerprint, role=role)
        folder = Path(scratch)
        (folder / "config.yaml").write_text(yaml.safe_dump(plain, sort_keys=False))
        fitted = _fit(composed.config, data, run, name, checkpoint, watch)
        taught = _taught(data)
        (folder / PEOPLE).write_text(json.dumps(taught, ensure_ascii=False))
        best = int(fitted.metrics["best_epoch"])
        curves = f"{name} on {data.faces.title}, {len(taught):,} people"
        draw_learning(
            tracker.epochs(run.run_id), best=best, title=curves, path=folder / "learning.png"
        )
        distances, summary = judge_embeddings(
            fitted.after,
            data.pairs,
            moments=fitted.moments,
            name=name,
            about=_about(fitted, data, taught),
            flip=plain["flip"],
            folder=folder,
        )
        np.savez_compressed(
            folder / "distances.npz", validation=fitted.chosen_by, verification=distances
        )
        metrics = {**fitted.metrics, **summary, **_untrained(fitted.before, data.pairs)}
        run.metrics(metrics)
        run.files(folder)
        run.model(fitted.embedder, registered_as=model_name(data))
    return Outcome(run.run_id, metrics)


@dataclass(frozen=True)
class _Fitted:
    """A trained embedder, and its embeddings of the verification faces."""

    embedder: Any
    before: Embeddings  # by the untrained network
    after: Embeddings
    moments: list[Moment]  # from the untrained network to the one that is kept
    chosen_by: Distances  # of the validation pairs
    metrics: dict[str, float]


class _Report:
    """Tells of a fit: the bar on screen, a line an epoch, the metrics to the tracker.

    `look` gives the embeddings of the map's faces, kept after every epoch.
    """

    def __init__(
        self,
        advance: Any,
        run: Tracked,
        name: str,
        *,
        look: Callable[[], Embeddings],
        watch: Watch | None,
    ) -> None:
        self.advance, self.run, self.name = advance, run, name
        self.look, self.watch = look, watch
        self.moments: list[Moment] = []

    def step(self) -> None:
        """A batch was learned from."""
        self.advance(1)

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch ended."""
        self.run.metrics(metrics, step=epoch)
        self.moments.append(Moment(epoch, self.look()))
        say(
            f"{self.name}, epoch {epoch}: loss {metrics['loss']:.4f},"
            f" {metrics['active']:.0%} of pairs active,"
            f" validation AUC {metrics['validation_auc']:.3f},"
            f" {metrics['images_per_second']:,.0f} images/s"
        )
        if self.watch:
            self.watch.epoch(epoch, metrics)


def _fit(
    plain: dict[str, Any],
    data: Data,
    run: Tracked,
    name: str,
    checkpoint: Path | None,
    watch: Watch | None,
) -> _Fitted:
    from tripletlab.training import backend

    backend.start(seed=plain["seed"])
    from tripletlab.training.guard import Collapsed, spread_of
    from tripletlab.training.inference import copied, embed
    from tripletlab.verbs.assembly import assembled, costs
    from tripletlab.verification.validation import Validation

    validation = Validation(data.faces)
    model, exact, batches = assembled(plain, data)
    look = _look(partial(embed, exact), flip=plain["flip"])  # validation brings its weights
    before = look(data.pairs.images)
    on_map = data.pairs.images[data.pairs.map_rows]

    def validate(network: Any, margin: float) -> dict[str, float]:
        embeddings = embed(copied(network, to=exact), validation.faces)
        return {**validation.judge(embeddings, margin), **spread_of(embeddings)}

    steps = len(batches) * plain["fit"]["epochs"]
    rates = config.build(plain, "rate_schedule")
    with bar(name, total=steps) as advance:
        report = _Report(advance, run, name, look=partial(look, on_map), watch=watch)
        try:
            progress = config.build(plain, "fit")(
                model,
                batches,
                optimizer=config.build(plain, "optimizer", schedule=rates, steps=steps),
                margin=config.build(plain, "margin_schedule"),
                guard=config.build(plain, "guard"),
                judge=validate,
                report=report,
                checkpoint=checkpoint,
            )
        except Collapsed as collapsed:
            run.tag("collapsed", str(collapsed.epoch))
            raise
    embedder = copied(model.embedder, to=exact)
    embeddings = embed(embedder, validation.faces)
    judged = validation.judge(embeddings, plain["margin"])  # whatever the schedule made of it
    metrics = {
        "best_epoch": progress.best_epoch,
        "steps": progress.epoch * len(batches),
        "training_identities": batches.identities,
        "best_validation_auc": judged["validation_auc"],
        "best_validation_loss": judged["validation_loss"],
        **costs(progress, embedder, validation.faces),
    }
    chosen_by = validation.distances(embeddings)
    moments = [Moment(0, before[data.pairs.map_rows]), *report.moments]
    kept = [moment for moment in moments if moment.epoch <= progress.best_epoch]
    after = look(data.pairs.images)
    if kept[-1].epoch < progress.best_epoch:  # what a dead process saw is not seen again
        kept.append(Moment(progress.best_epoch, after[data.pairs.map_rows]))
    return _Fitted(embedder, before, after, _frames(kept), chosen_by, metrics)


def _look(embed: Embed, *, flip: bool) -> Embed:
    """Faces to what judges them: their embeddings, or those of them and their mirror images."""
    return partial(flipped, embed) if flip else embed


def _frames(moments: list[Moment]) -> list[Moment]:
    """At most FRAMES of them, evenly spread, the first and the last among them."""
    places = np.linspace(0, len(moments) - 1, min(FRAMES, len(moments))).round().astype(int)
    return [moments[place] for place in places]


def _untrained(before: Embeddings, judged: PairStore) -> dict[str, float]:
    """What the network was worth before it learned."""
    pairs = judged.pairs
    distances = pair_distances(before, pairs.first, pairs.second)
    chance = judge(distances, pairs.matched, pairs.fold).summary()
    return {"untrained_accuracy": chance["accuracy"], "untrained_auc": chance["auc"]}


def _taught(data: Data) -> list[str]:
    """The people that a run learned from."""
    faces = data.faces
    return sorted({n for n, s in zip(faces.names, faces.split, strict=True) if s == TRAIN})


def _about(fitted: _Fitted, data: Data, taught: list[str]) -> dict[str, Any]:
    """What the card says of the training."""
    return {
        "photos": data.faces.title,
        **about_training(taught, data.pairs),
        "faces_fingerprint": data.faces.fingerprint,
        "model_fingerprint": fingerprint(fitted.embedder.get_weights()),
    }
