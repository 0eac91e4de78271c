"""What is judged: a logged run, a registered version, a bundle, or embeddings from elsewhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.evaluation.flip import Embed, flipped
from tripletlab.experiment.data import prepare_judged
from tripletlab.experiment.evaluation import PEOPLE, Embeddings
from tripletlab.faces.store import PairStore
from tripletlab.recognition.bundle import MANIFEST, Bundle
from tripletlab.system.provenance import fingerprint
from tripletlab.tracking import registry
from tripletlab.tracking.runs import Tracker

UNKNOWN = "not known"


@dataclass(frozen=True)
class Subject:
    """Whose embeddings are judged, and on which faces."""

    name: str
    judged: PairStore
    embeddings: Embeddings  # of the faces of `judged`; NaN where there is none
    about: dict[str, Any]  # of the network, for the card
    trained_on: dict[str, str] | None  # folders and names of the people; None: not known
    run_id: str | None


def find_subject(
    what: str, composed: config.Composed, given: Sequence[str], tracker: Tracker
) -> Subject:
    """A file of embeddings, a bundle's folder, or else a run or a version in `tracker`.

    A run brings its own preparation and verification; what is in the overrides `given` takes their
    place. InputError where nothing, or more than one thing, is meant by `what`.
    """
    if what.endswith(".npy"):
        return _from_file(Path(what), composed)
    if (Path(what) / MANIFEST).is_file():
        return _from_bundle(Path(what), composed, given)
    return _from_run(what, composed, given, tracker)


def own_config(
    run_id: str, composed: config.Composed, given: Sequence[str], tracker: Tracker
) -> dict[str, Any]:
    """The config that a run was made with, under what the user has given now.

    `verification=lfw` replaces a node, `faces.border=0.1` a leaf of it. Keys that the run has not
    known yet come from conf/.
    """
    own = yaml.safe_load(tracker.artifact(run_id, "config.yaml").read_text())
    keys = {override.partition("=")[0] for override in given}
    return {
        name: node
        if name in keys or name not in own
        else _merged(own[name], node, [key.split(".")[1:] for key in keys if _top(key) == name])
        for name, node in composed.config.items()
    }


def _merged(own: Any, now: Any, leaves: Sequence[Sequence[str]]) -> Any:
    """The run's own node, with the leaves that are given now; all of `now` where it is another."""
    both = isinstance(own, Mapping) and isinstance(now, Mapping)
    if not both or own.get("_target_") != now.get("_target_"):
        return now if leaves else own
    merged = {**now, **own}
    for path in leaves:
        merged[path[0]] = (
            now[path[0]] if len(path) == 1 else _merged(own.get(path[0]), now[path[0]], [path[1:]])
        )
    return merged


def _top(key: str) -> str:
    return key.partition(".")[0]


def _from_run(
    what: str, composed: config.Composed, given: Sequence[str], tracker: Tracker
) -> Subject:
    chosen = registry.find(what, uri=tracker.uri)
    told = registry.told(chosen.run_id)
    judged = prepare_judged(own_config(chosen.run_id, composed, given, tracker))
    from tripletlab.training import backend

    backend.load()
    from tripletlab.training.inference import embed

    network = registry.load(chosen)
    embeddings = _look(
        partial(embed, network), judged, size=network.input_shape[1], what=what, composed=composed
    )
    known = tracker.has(chosen.run_id, PEOPLE)
    people = json.loads(tracker.artifact(chosen.run_id, PEOPLE).read_text()) if known else None
    if isinstance(people, list):  # as runs were logged that knew names alone
        people = {name: name for name in people}
    about = {
        "model": f"{chosen.model}, version {chosen.version}",
        "run": chosen.run_id,
        "photos": told.tags["photos"],
        "training_identities": int(told.metrics["training_identities"]),
        "training_people_in_the_test": UNKNOWN,
        "faces_fingerprint": told.tags["faces_fingerprint"],
        "model_fingerprint": fingerprint(network.get_weights()),
    }
    name = told.tags["mlflow.runName"]
    return Subject(name, judged, embeddings, about, people, chosen.run_id)


def _from_bundle(folder: Path, composed: config.Composed, given: Sequence[str]) -> Subject:
    """The bundle brings its own preparation."""
    bundle = Bundle.open(folder)
    plain = composed.config
    if "faces" not in {_top(override.partition("=")[0]) for override in given}:
        plain = {**plain, "faces": bundle.manifest.faces}
    judged = prepare_judged(plain)
    embedder = bundle.embedder
    embeddings = _look(embedder, judged, size=embedder.size, what=str(folder), composed=composed)
    card = bundle.card
    about = {
        "model": f"{card.model}, version {card.version}, as a bundle",
        "run": card.run_id,
        "photos": card.photos,
        "training_identities": UNKNOWN,
        "training_people_in_the_test": UNKNOWN,
        "faces_fingerprint": card.faces_fingerprint,
        "bundle_fingerprint": bundle.fingerprint,
    }
    return Subject(folder.resolve().name, judged, embeddings, about, None, None)


def _look(
    embed: Embed, judged: PairStore, *, size: int, what: str, composed: config.Composed
) -> Embeddings:
    """The embeddings of the faces, with their mirror images where the config says so."""
    own = judged.images.shape[1]
    if size != own:
        raise InputError(
            f"{what} takes faces of {size} pixels, and those of {judged.title} have {own}: leave"
            " faces= out, or give its own"
        )
    return flipped(embed, judged.images) if composed.config["flip"] else embed(judged.images)


def _from_file(path: Path, composed: config.Composed) -> Subject:
    """Rows for the faces of the set, or two for each pair, in the order of pairs.txt."""
    values = _read(path)
    judged = prepare_judged(composed.config)
    faces, pairs = len(judged.images), len(judged.pairs.first)
    if len(values) == faces:
        embeddings = values
    elif len(values) == 2 * pairs:
        embeddings = np.full((faces, values.shape[1]), np.nan, np.float32)
        embeddings[judged.pairs.first], embeddings[judged.pairs.second] = values[::2], values[1::2]
    else:
        raise InputError(
            f"{path} has {len(values):,} rows; {judged.title} needs {faces:,}, one for each face"
            f" in the order that --faces prints, or {2 * pairs:,}, two for each pair in the order"
            " of pairs.txt"
        )
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = bool(np.all(np.abs(lengths[np.isfinite(lengths)] - 1) < 1e-3))
    about = {
        "embeddings": path.name,
        "dimensions": values.shape[1],
        "lengths": "unit, as given" if unit else "brought to unit length here",
        "training_identities": UNKNOWN,
        "training_people_in_the_test": UNKNOWN,
        "embeddings_fingerprint": fingerprint([values]),
    }
    return Subject(path.stem, judged, embeddings / lengths, about, None, None)


def _read(path: Path) -> Embeddings:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a .npy file of numbers ({error})") from error
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise InputError(f"{path}: embeddings are rows of numbers, not {values.shape}")
    values = np.asarray(values, np.float32)
    if not np.isfinite(values).all() or not np.linalg.norm(values, axis=1).all():
        raise InputError(f"{path}: an embedding is zero, or not finite")
    return np.asarray(values)
