"""The metrics at the end of a run, of the weights that are kept."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tripletlab.architectures.operations import flops
from tripletlab.evaluation.metrics import grouped, own_values
from tripletlab.evaluation.protocol import evaluate, pair_distances
from tripletlab.experiment.components import Components
from tripletlab.experiment.data import Data
from tripletlab.experiment.evaluation import PEOPLE, about_training, evaluate_embeddings
from tripletlab.experiment.snapshots import Embeddings, Snapshot, animation
from tripletlab.system.provenance import fingerprint
from tripletlab.training.checkpoint import Progress
from tripletlab.training.inference import embed, images_per_second


def training_metrics(parts: Components, progress: Progress, *, margin: float) -> dict[str, float]:
    """What the training took, what the validation gives, and what the network costs.

    `margin` is the config's own, whatever the schedule ended with. No `cost/flops` where
    they are not known.
    """
    batches, operations = parts.batches, flops(parts.embedder)
    final = parts.validate(parts.model.embedder, margin)
    return {
        "train/best_epoch": progress.best_epoch,
        "train/steps": progress.epoch * len(batches),
        "train/identities": len(batches.trained_on),
        "train/identities_left_out": len(batches.left_out),
        "val/best_auc": final["auc"],
        "val/best_loss": final["loss"],
        "cost/training_seconds": progress.seconds,
        "cost/training_images_per_second": float(np.median(progress.speeds)),
        "cost/inference_images_per_second": images_per_second(
            parts.embedder, parts.validation.faces
        ),
        "cost/parameters": parts.embedder.count_params(),
        **({} if operations is None else {"cost/flops": operations}),
    }


def test_metrics(
    parts: Components,
    data: Data,
    progress: Progress,
    before: Embeddings,
    snapshots: Sequence[Snapshot],
    *,
    name: str,
    folder: Path,
) -> dict[str, float]:
    """The metrics of the test pairs, and one's own of both kinds of pairs.

    `before` are the embeddings of the test faces by the untrained network. Writes the card with
    its pictures, the names of the training people, and distances.npz.
    """
    faces, store, trained_on = data.faces, data.pairs, parts.batches.trained_on
    (folder / PEOPLE).write_text(json.dumps(trained_on, ensure_ascii=False), "utf-8")
    after, on_map = parts.embed(store.images), store.map_rows
    first, last = Snapshot(0, before[on_map]), Snapshot(progress.best_epoch, after[on_map])
    distances, metrics = evaluate_embeddings(
        after,
        store,
        snapshots=animation(first, snapshots, last),
        name=name,
        about={
            "photos": faces.title,
            **about_training(trained_on, store, faces_fingerprint=faces.fingerprint),
            "training_people_left_out": parts.batches.why_left_out,
            "faces_fingerprint": faces.fingerprint,
            "model_fingerprint": fingerprint(parts.embedder.get_weights()),
        },
        flip=parts.flip,
        folder=folder,
    )
    validation, own = parts.validation, parts.metrics
    chosen_by = validation.distances(embed(parts.embedder, validation.faces))
    np.savez_compressed(folder / "distances.npz", validation=chosen_by, verification=distances)
    metrics |= {**_untrained(before, data), **own_values(own, distances, store.pairs.matched)}
    return {
        **grouped("test", metrics),
        **grouped("val", own_values(own, chosen_by, validation.matched)),
    }


def _untrained(before: Embeddings, data: Data) -> dict[str, float]:
    """How the network was evaluated before its training."""
    pairs = data.pairs.pairs
    distances = pair_distances(before, pairs.first, pairs.second)
    scores = evaluate(distances, pairs.matched, pairs.fold).summary()
    return {"untrained_accuracy": scores["accuracy"], "untrained_auc": scores["auc"]}
