"""`tripletlab train`: faces become a network that is evaluated, logged and registered."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np
import yaml

from tripletlab.config import RunConfig
from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import METRICS
from tripletlab.evaluation.protocol import evaluate, pair_distances
from tripletlab.experiment.data import Data, prepare
from tripletlab.experiment.evaluation import PEOPLE, Embeddings, about_training, evaluate_embeddings
from tripletlab.faces.store import PairStore
from tripletlab.photos.sources import slug
from tripletlab.plots.learning import draw_learning
from tripletlab.system.locks import held
from tripletlab.system.progress import say
from tripletlab.system.provenance import ENVIRONMENT, code_fingerprint, environment, fingerprint
from tripletlab.system.redaction import redacted
from tripletlab.tracking.runs import Tracker
from tripletlab.training import backend

if TYPE_CHECKING:
    from tripletlab.experiment.training import Fitted


RECIPE = "tripletlab.recipe"  # tag by which `train` finds the run that it goes on with
ELSEWHERE = ("tracking", "preparation", "data")  # say where, and nothing of the numbers


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


def train_alone(config: RunConfig, *, fresh: bool) -> None:
    """`tripletlab train`: a run of its own; prints its metrics and its id.

    A run of the same config, data and code that was stopped goes on from its last epoch; one that
    is finished is shown and not repeated. `fresh` begins anew.
    """
    tracker: Tracker = config.tracking.build()
    data = prepare(config, fresh=False)
    tracker.open()
    recipe = _recipe(config, data)
    folder = Path(tracker.folder).resolve()
    checkpoint = folder / "train" / f"{code_fingerprint()}-{recipe}.npz"
    with held(folder / "live" / f"train-{recipe}") as free:
        if not free:
            raise InputError("another process is training the same network; let it end first")
        past = None if fresh else tracker.tagged(RECIPE, recipe)
        if past is None:
            checkpoint.unlink(missing_ok=True)
        if past and past.status == "FINISHED":
            say(f"the run {past.run_id} is there already; --fresh trains it anew")
            outcome = Outcome(past.run_id, dict(past.metrics))
        else:
            outcome = train(
                config,
                data,
                name=f"{config.choices['miner']} {config.margin}",
                tracker=tracker,
                tags={RECIPE: recipe},
                resume=past.run_id if past else None,
                checkpoint=checkpoint,
            )
        checkpoint.unlink(missing_ok=True)
    for metric in [one for one in METRICS if one in outcome.metrics]:
        value, whole = outcome.metrics[metric], METRICS[metric].whole
        print(f"{metric}\t{int(value)}" if whole else f"{metric}\t{value:.4f}")
    print(f"run\t{outcome.run_id}")


def _recipe(config: RunConfig, data: Data) -> str:
    """16 hex digits of all that decides a run's numbers: its config, its data and the code."""
    own = {key: value for key, value in config.tree.items() if key not in ELSEWHERE}
    parts = [own, data.faces.fingerprint, data.pairs.fingerprint, code_fingerprint()]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def train(
    config: RunConfig,
    data: Data,
    *,
    name: str,
    tracker: Tracker,
    tags: Mapping[str, str] = MappingProxyType({}),
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
    about = {**_tags(data), **tags}
    with (
        tracker.run(name, params=config.params(), tags=about, parent=parent, resume=resume) as run,
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
        metrics = _evaluated(fit, data, name=name, flip=config.flip, epochs=epochs, folder=folder)
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


def _evaluated(
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
    distances, summary = evaluate_embeddings(
        fit.after,
        data.pairs,
        snapshots=fit.snapshots,
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


def _untrained(before: Embeddings, store: PairStore) -> dict[str, float]:
    """What the network was worth before it learned."""
    pairs = store.pairs
    distances = pair_distances(before, pairs.first, pairs.second)
    chance = evaluate(distances, pairs.matched, pairs.fold).summary()
    return {"untrained_accuracy": chance["accuracy"], "untrained_auc": chance["auc"]}
