"""`tripletlab train`: faces become a network that is judged, logged and registered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import numpy as np
import yaml

from tripletlab.config import RunConfig
from tripletlab.evaluation.protocol import judge, pair_distances
from tripletlab.experiment.data import Data, prepare
from tripletlab.experiment.evaluation import PEOPLE, Embeddings, about_training, judge_embeddings
from tripletlab.faces.store import PairStore
from tripletlab.photos.sources import slug
from tripletlab.plots.learning import draw_learning
from tripletlab.system.provenance import ENVIRONMENT, environment, fingerprint
from tripletlab.system.redaction import redacted
from tripletlab.tracking.runs import Tracker
from tripletlab.training import backend

if TYPE_CHECKING:
    from tripletlab.experiment.training import Fitted


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


def train_alone(config: RunConfig) -> None:
    """`tripletlab train`: a run of its own; prints its metrics and its id."""
    tracker: Tracker = config.tracking.build()
    data = prepare(config, fresh=False)
    tracker.open()
    name = f"{config.choices['miner']} {config.margin}"
    outcome = train(config, data, name=name, tracker=tracker)
    for metric, value in outcome.metrics.items():
        print(f"{metric}\t{value:.4f}" if isinstance(value, float) else f"{metric}\t{value}")
    print(f"run\t{outcome.run_id}")


def train(
    config: RunConfig,
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
    backend.start(seed=config.seed)
    from tripletlab.experiment.components import build_components  # it needs the backend
    from tripletlab.experiment.training import fitted

    parts = build_components(config, data)  # what cannot be built leaves no run behind
    with (
        tracker.run(
            name, params=config.params(), tags=_tags(data), parent=parent, resume=resume
        ) as run,
        TemporaryDirectory(prefix="tripletlab-") as scratch,
    ):
        if watch:
            watch.began(run.run_id)
        for role, seen in (("training", data.faces), ("verification", data.pairs)):
            run.dataset(seen.path, title=seen.title, fingerprint=seen.fingerprint, role=role)
        folder = Path(scratch)
        (folder / "config.yaml").write_text(redacted(yaml.safe_dump(config.tree, sort_keys=False)))
        known = {**environment(), **backend.description()}
        (folder / ENVIRONMENT).write_text(json.dumps(known, indent=2))
        run.files(folder)  # now: a run that fails needs them most
        follow = watch.epoch if watch else None
        fit = fitted(config, data, parts, run, name=name, checkpoint=checkpoint, watch=follow)
        epochs = tracker.epochs(run.run_id)
        metrics = _judged(fit, data, name=name, flip=config.flip, epochs=epochs, folder=folder)
        run.metrics(metrics)
        run.files(folder)
        run.model(fit.embedder, registered_as=model_name(data))
    return Outcome(run.run_id, metrics)


def _tags(data: Data) -> dict[str, str]:
    """By which runs on the same data are found."""
    return {
        "photos": data.faces.title,
        "verification": data.pairs.title,
        "faces_fingerprint": data.faces.fingerprint,
        "pairs_fingerprint": data.pairs.fingerprint,
    }


def _judged(
    fit: "Fitted",
    data: Data,
    *,
    name: str,
    flip: bool,
    epochs: Sequence[Mapping[str, float]],
    folder: Path,
) -> dict[str, float]:
    """The metrics of the run's end; card, pictures and distances are written into the folder."""
    faces = data.faces
    trained_on = fit.trained_on
    (folder / PEOPLE).write_text(json.dumps(trained_on, ensure_ascii=False))
    best = int(fit.metrics["best_epoch"])
    title = f"{name} on {faces.title}, {len(trained_on):,} people"
    draw_learning(epochs, best=best, title=title, path=folder / "learning.png")
    distances, summary = judge_embeddings(
        fit.after,
        data.pairs,
        moments=fit.moments,
        name=name,
        about={
            "photos": faces.title,
            **about_training(trained_on, data.pairs, faces_fingerprint=faces.fingerprint),
            "training_people_left_out": fit.left_out,
            "faces_fingerprint": faces.fingerprint,
            "model_fingerprint": fingerprint(fit.embedder.get_weights()),
        },
        flip=flip,
        folder=folder,
    )
    np.savez_compressed(folder / "distances.npz", validation=fit.chosen_by, verification=distances)
    return {**fit.metrics, **summary, **_untrained(fit.before, data.pairs)}


def _untrained(before: Embeddings, judged: PairStore) -> dict[str, float]:
    """What the network was worth before it learned."""
    pairs = judged.pairs
    distances = pair_distances(before, pairs.first, pairs.second)
    chance = judge(distances, pairs.matched, pairs.fold).summary()
    return {"untrained_accuracy": chance["accuracy"], "untrained_auc": chance["auc"]}
