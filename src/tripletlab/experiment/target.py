"""What is evaluated: a logged run, a registered version, a bundle, or embeddings from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tripletlab import config
from tripletlab.config import EvaluateConfig
from tripletlab.config.yaml_files import read_yaml
from tripletlab.errors import InputError, brief
from tripletlab.evaluation.flip import Embed, flipped
from tripletlab.experiment.data import is_held_out, prepare_test_pairs
from tripletlab.experiment.evaluation import PEOPLE, about_training
from tripletlab.experiment.snapshots import Embeddings
from tripletlab.faces.store import PairStore
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.bundle_folder import MANIFEST
from tripletlab.recognition.search import is_unit
from tripletlab.system.foreign_files import read_json, require_file
from tripletlab.system.progress import say
from tripletlab.system.provenance import fingerprint
from tripletlab.tracking import Tracker
from tripletlab.training import backend

UNKNOWN = "not known"
LARGEST = 1 << 33  # bytes of a .npy file
SAME_FACE = 0.01  # of an embedding's length: rounding of a face that was embedded twice is less


@dataclass(frozen=True)
class EvaluationTarget:
    """What is evaluated: embeddings of a pair store's faces, and what is known of their network."""

    name: str
    store: PairStore
    embeddings: Embeddings  # of the faces of `store`; NaN where there is none
    flip: bool  # each with that of its mirror image
    about: dict[str, Any]  # of the network, for the card
    trained_on: dict[str, str] | None  # folders and names of the people; None: not known
    run_id: str | None


def tracker_of(overrides: Sequence[str], *, writable: bool) -> Tracker:
    """The tracker that overrides such as `tracking.folder=…` name.

    InputError where it has to be `writable`, since --to names no other folder, and is not.
    """
    given: EvaluateConfig = config.compose("evaluate", config.of_nouns(overrides, ["tracking"]))
    tracker: Tracker = given.tracking.build()
    if writable:
        tracker.require_writable("give --to FOLDER")
    return tracker


def find_target(what: str, overrides: Sequence[str], tracker: Tracker) -> EvaluationTarget:
    """A file of embeddings, a bundle's folder, or else a run or a version in `tracker`.

    A run or a bundle brings its own config; the overrides replace what they name in it.
    InputError where nothing, or more than one thing, is meant by `what`.
    """
    if what.endswith(".npy"):
        return _from_file(Path(what), overrides)
    if (Path(what) / MANIFEST).is_file():
        return _from_bundle(Path(what), overrides)
    return _from_run(what, overrides, tracker)


def about_people(target: EvaluationTarget) -> dict[str, Any]:
    """What a card says of the people that the network was trained on; nothing where not known.

    Warns where some of them are tested, or where others are held out than at the training.
    """
    if target.trained_on is None:
        return {}
    own, held_out_of = target.about["faces_fingerprint"], target.store.notes.get("held_out_of", "")
    about = about_training(target.trained_on, target.store, faces_fingerprint=own)
    parts = []
    if held_out_of and held_out_of != own:
        parts.append(
            "the photos or their preparation are not those of the training, so that people are"
            " held out anew"
        )
    if isinstance(count := about["training_people_in_the_test"], int) and count:
        such = brief(about["training_names_in_the_test"][0])
        parts.append(
            f"{count:,} of the test people are people whom the network was trained on, such as"
            f" {such}: the figures are too good"
        )
    if parts:
        say(f"warning: {'; '.join(parts)}")
    return about


def faces_of(what: str | None, overrides: Sequence[str]) -> tuple[str, ...]:
    """The photos that `what` is evaluated on (None: those of the config), in the rows' order."""
    if what is None or what.endswith(".npy"):
        return prepare_test_pairs(config.compose("evaluate", overrides)).sources
    if (Path(what) / MANIFEST).is_file():
        faces = Bundle.open(Path(what)).settings
        own = config.recorded({"faces": faces}, {}, overrides)
    else:
        tracker = tracker_of(overrides, writable=False)
        tracker.open_existing()
        own = run_config(tracker.models.find(what).run_id, overrides, tracker)
    return _pairs(own, overrides).sources


def run_config(run_id: str, overrides: Sequence[str], tracker: Tracker) -> EvaluateConfig:
    """The config that a run was made with, under the overrides that are given now."""
    tree = read_yaml(tracker.runs.artifact(run_id, "config.yaml"), yaml.safe_load)
    params = tracker.runs.record(run_id).params
    choices = {noun: params[noun] for noun in config.groups() if noun in params}
    return config.recorded(tree, choices, overrides)


def _from_run(what: str, overrides: Sequence[str], tracker: Tracker) -> EvaluationTarget:
    tracker.open_existing()
    chosen = tracker.models.find(what)
    run = tracker.runs.record(chosen.run_id)
    own = run_config(chosen.run_id, overrides, tracker)
    store = _pairs(own, overrides)
    backend.load()
    from tripletlab.training.inference import embed

    network = tracker.models.load(chosen)
    embeddings = _embed(
        partial(embed, network), store, size=network.input_shape[1], what=what, flip=own.flip
    )
    known = tracker.runs.has(chosen.run_id, PEOPLE)
    people = _people(tracker.runs.artifact(chosen.run_id, PEOPLE)) if known else None
    trained = run.metrics.get("train/identities")
    about = {
        "model": f"{chosen.name}, version {chosen.version}" if chosen.name else "not registered",
        "run": chosen.run_id,
        "photos": run.tags["photos"],
        "training_identities": UNKNOWN if trained is None else int(trained),
        "training_people_in_the_test": UNKNOWN,
        "faces_fingerprint": run.tags["faces_fingerprint"],
        "model_fingerprint": fingerprint(network.get_weights()),
    }
    name = run.name.partition(" on ")[0]  # a title names the photos it is evaluated on
    return EvaluationTarget(name, store, embeddings, own.flip, about, people, chosen.run_id)


def _people(path: Path) -> dict[str, str]:
    """Folders and names of the people that a run was trained on."""
    found = read_json(path)
    if isinstance(found, list):  # as runs were logged that knew names alone
        found = {name: name for name in map(str, found)}
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise InputError(f"{path}: not the people that a run was trained on")
    return found


def _from_bundle(folder: Path, overrides: Sequence[str]) -> EvaluationTarget:
    """The bundle brings its own preparation."""
    bundle = Bundle.open(folder)
    own = config.recorded({"faces": bundle.settings}, {}, overrides)
    store = _pairs(own, overrides)
    embedder = bundle.embedder
    embeddings = _embed(embedder, store, size=embedder.size, what=str(folder), flip=own.flip)
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
    return EvaluationTarget(folder.resolve().name, store, embeddings, own.flip, about, None, None)


def _pairs(own: EvaluateConfig, overrides: Sequence[str]) -> PairStore:
    """The prepared pairs; InputError for an override that they do not depend on."""
    if not is_held_out(own):
        nouns = set(EvaluateConfig.nouns()) - {"photos", "hygiene"}
        command = f"evaluate with verification={own.choices['verification']}"
        config.allow_only(overrides, nouns, command=command)
    return prepare_test_pairs(own)


def _embed(embed: Embed, store: PairStore, *, size: int, what: str, flip: bool) -> Embeddings:
    """The embeddings of the faces, with their mirror images where the config says so."""
    own = store.images.shape[1]
    if size != own:
        raise InputError(
            f"{what} takes faces of {size} pixels, and those of {store.title} have {own}: leave"
            " faces= out, or give its own"
        )
    values = flipped(embed, store.images) if flip else embed(store.images)
    if not (unit := is_unit(values)).all():
        raise InputError(
            f"{what} gives {np.count_nonzero(~unit):,} of {len(unit):,} faces of {store.title} no"
            " embedding of unit length: they have no distances"
        )
    return values


def _from_file(path: Path, overrides: Sequence[str]) -> EvaluationTarget:
    """Rows for the faces of the set, or two for each pair, in the order of pairs.txt."""
    given: EvaluateConfig = config.compose("evaluate", overrides)
    if given.flip:
        raise InputError(
            f"flip=true: {path} holds embeddings, and no network to embed mirror images"
        )
    values = _read(path)
    store = _pairs(given, overrides)
    embeddings = _of_faces(values, store, path)
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = bool(np.all(np.abs(lengths[np.isfinite(lengths)] - 1) < 1e-3))
    about = {
        "embeddings": path.name,
        "dimensions": values.shape[-1],
        "lengths": "unit, as given" if unit else "brought to unit length here",
        "training_identities": UNKNOWN,
        "training_people_in_the_test": UNKNOWN,
        "embeddings_fingerprint": fingerprint([values]),
    }
    return EvaluationTarget(path.stem, store, embeddings / lengths, False, about, None, None)


def _of_faces(values: Embeddings, store: PairStore, path: Path) -> Embeddings:
    """The embeddings (faces, dim) of the store's faces; NaN where the pairs name none.

    `values` are (faces, dim) or (faces, 1, dim), or else (2 · pairs, dim) or (pairs, 2, dim).
    InputError for another shape, where (rows, dim) can mean either and the two differ, and where a
    face of several pairs has different embeddings in them.
    """
    faces, pairs, shape = len(store.images), len(store.pairs), values.shape[:-1]
    rows = values.reshape(-1, values.shape[-1])
    sides = store.pairs.sides.ravel()
    if shape == (faces,) == sides.shape and (sides != np.arange(faces)).any():
        raise InputError(
            f"{path} has {faces:,} rows, which can be one for each face or two for each pair of"
            f" {store.title}: save them as an array of ({faces}, 1, {rows.shape[1]}) or of"
            f" ({pairs}, 2, {rows.shape[1]})"
        )
    if shape in ((faces,), (faces, 1)):
        return rows
    if shape not in ((2 * pairs,), (pairs, 2)):
        raise InputError(
            f"{path} has {' × '.join(f'{one:,}' for one in shape)} rows; {store.title} needs"
            f" {faces:,}, one for each face in the order that --faces prints, or {2 * pairs:,}, two"
            " for each pair in the order of pairs.txt"
        )
    embeddings = np.full((faces, rows.shape[1]), np.nan, np.float32)
    embeddings[sides] = rows
    differ = np.linalg.norm(embeddings[sides] - rows, axis=1)
    if (wrong := np.flatnonzero(differ > SAME_FACE * np.linalg.norm(rows, axis=1))).size:
        row = wrong[0]
        raise InputError(
            f"{path}: the embedding of {store.sources[sides[row]]} in pair {row // 2 + 1:,} differs"
            f" from that in a later pair of {store.title}: give the first face of a pair and then"
            " its second, pair by pair, in the order of pairs.txt"
        )
    return embeddings


def _read(path: Path) -> Embeddings:
    """Embeddings (…, dim), of two or three dimensions; InputError for anything else."""
    try:
        # Mapped: a header that promises more than the file has allocates nothing
        require_file(path, largest=LARGEST)
        values = np.load(path, allow_pickle=False, mmap_mode="r")
    except Exception as error:  # a damaged header makes NumPy raise nearly anything
        raise InputError(
            f"{path}: cannot be read as a .npy file of numbers ({brief(error)})"
        ) from error
    if not isinstance(values, np.ndarray):
        raise InputError(f"{path}: holds several arrays; write one with numpy.save")
    if values.ndim not in (2, 3) or values.dtype.kind not in "fiu" or not values.size:
        raise InputError(f"{path}: embeddings are rows of numbers, not {values.shape}")
    with np.errstate(over="ignore"):
        values = np.asarray(values, np.float32)
        lengths = np.linalg.norm(values, axis=-1)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise InputError(f"{path}: an embedding is zero, or not finite")
    return np.asarray(values)
