"""`tripletlab export`: a trained network becomes a bundle, calibrated, checked and registered."""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tripletlab.config import EvaluateConfig
from tripletlab.errors import InputError
from tripletlab.evaluation.flip import Embed
from tripletlab.evaluation.protocol import pair_distances
from tripletlab.faces.heldout_pairs import calibration_pairs
from tripletlab.faces.store import FaceStore, find
from tripletlab.recognition.bundle import Bundle, Card, write_bundle
from tripletlab.recognition.bundle_folder import (
    FORMATS,
    KERAS,
    LITERT,
    MANIFEST,
    SAVEDMODEL,
    add_to_bundle,
)
from tripletlab.recognition.calibration import calibrate, threshold_at
from tripletlab.recognition.embedder import Embedder, read_onnx
from tripletlab.system.progress import quiet_stderr, say
from tripletlab.system.provenance import fingerprint
from tripletlab.tracking import SHORT, RunModel, RunRecord, Tracker
from tripletlab.training import backend

if TYPE_CHECKING:
    import keras

FAR = 0.01  # false accept rate of the threshold, by default
TOLERANCE = 1e-5  # between an embedding's numbers here and in the bundle
CALIBRATED = {  # whose pairs set the threshold
    "calibration": "neither trained nor chose it",
    "validation": "did not train it, but chose its epoch and its place among others: in use it will"
    " accept more strangers than that (the data has too few people for a calibration of its own)",
}
CHECKED = 1000  # faces that both embed
LICENCES = {"synthetic": "synthetic people, drawn by tripletlab itself: nobody's likeness"}
UNKNOWN = "not known to tripletlab: ask who gave you the photos before you pass this network on"


def export(
    config: EvaluateConfig,
    which: str,
    folder: Path,
    *,
    far: float | None = None,
    formats: Collection[str] = (),
    update: bool = False,
) -> Bundle:
    """Write the bundle of `champion`, a run or a version; register it, and its network.

    The threshold accepts the fraction `far` of strangers on pairs of the calibration people, FAR
    where it is None. `formats`, of FORMATS, are added, and those of a bundle that is replaced. With
    `update`, a bundle of this run and `far` stays as it is, and gets the formats that it lacks;
    another one is replaced, which is said, and gives its `far` where that is None. InputError, and
    no bundle, where the exported network's embeddings differ from the trained one's.
    """
    tracker: Tracker = config.tracking.build()
    tracker.open_existing()
    chosen = tracker.models.find(which)
    older = _older(folder) if update else None
    far = far if far is not None else older.card.far if older else FAR
    if older and (older.card.run_id, older.card.far) == (chosen.run_id, far):
        say(f"{folder} holds this network already (run {chosen.run_id[:SHORT]})")
        if missing := [name for name in formats if not (folder / name).exists()]:
            _, store, embedder = _trained(config, tracker, chosen)
            _add_formats(folder, missing, embedder, store)
            say(f"added: {', '.join(missing)}")
        return older
    tracker.require_writable("the bundle would be registered there; copy it, or make it writable")
    added = [name for name in FORMATS if name in formats or (folder / name).exists()]
    run, store, embedder = _trained(config, tracker, chosen)
    with _as_onnx(embedder, store.images[:CHECKED]) as (network, light):
        card = _card(chosen, run, store, light, far)
        if not chosen.name:  # only now: whatever fails before leaves the registry as it is
            chosen = tracker.models.register(chosen.run_id)
            card = card.model_copy(update={"model": chosen.name, "version": chosen.version})
        weights = fingerprint(embedder.get_weights())
        bundle = write_bundle(folder, network, weights=weights, faces=store.settings, card=card)
    _add_formats(folder, added, embedder, store)
    _print_result(bundle, tracker.bundles.register(chosen, bundle.folder))
    if older:
        _say_replaced(older.card, folder)
    return bundle


def _trained(
    config: EvaluateConfig, tracker: Tracker, chosen: RunModel
) -> tuple[RunRecord, FaceStore, "keras.Model"]:
    """The run of a network, the faces that it learned from, and the network."""
    run = tracker.runs.record(chosen.run_id)
    faces = run.tags["faces_fingerprint"]
    store = find(FaceStore, config.data, faces, what="the faces that the network learned from")
    backend.load()
    backend.require_tensorflow()
    return run, store, tracker.models.load(chosen)


def _add_formats(
    folder: Path, formats: Collection[str], embedder: "keras.Model", store: FaceStore
) -> None:
    """Add the network in these formats to the bundle in the folder."""
    ways: dict[str, Callable[[Path], object]] = {
        KERAS: embedder.save,
        SAVEDMODEL: partial(embedder.export, format="tf_saved_model", verbose=False),
        LITERT: partial(write_litert, embedder, faces=store.images[:CHECKED]),
    }
    for name in formats:
        add_to_bundle(folder, name, ways[name])


@contextmanager
def _as_onnx(embedder: "keras.Model", faces: NDArray[np.uint8]) -> Iterator[tuple[Path, Embedder]]:
    """A temporary ONNX file of the network, and the network that was read back from it.

    InputError where its embeddings of the faces differ.
    """
    with TemporaryDirectory() as scratch:
        network = Path(scratch) / "embedder.onnx"
        write_onnx(embedder, network)
        light = Embedder(read_onnx(network), name=network)
        hold_equal(embedder, light, faces)
        yield network, light


def _say_replaced(card: Card, folder: Path) -> None:
    """Say whose network was replaced, and how to get it back."""
    run_id = card.run_id[:SHORT]
    say(
        f"it replaces run {run_id} ({card.model} version {card.version}), which"
        f" `tripletlab export {run_id} {folder}` brings back; galleries follow when they are opened"
    )


def _older(folder: Path) -> Bundle | None:
    """The bundle in the folder; None where there is none, or one that cannot be used any more."""
    if not (folder / MANIFEST).exists():
        return None
    try:
        return Bundle.open(folder)
    except InputError as error:
        say(f"warning: {error}")
        return None


def write_onnx(embedder: "keras.Model", path: Path) -> None:
    """The network as ONNX, any number of faces at a time."""
    size = embedder.input_shape[1]
    embedder(np.zeros((1, size, size, 1), np.float32))  # Keras exports only what was called
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with quiet_stderr():
        embedder.export(path, format="onnx", verbose=False)


def write_litert(embedder: "keras.Model", path: Path, *, faces: NDArray[np.uint8]) -> None:
    """The network for LiteRT (TensorFlow Lite); InputError where its embeddings differ."""
    with quiet_stderr():
        content, light = backend.litert(embedder)
    hold_equal(embedder, light, faces)
    path.write_bytes(content)


def hold_equal(embedder: "keras.Model", light: Embed, faces: NDArray[np.uint8]) -> float:
    """The largest difference between the two networks' numbers; InputError above the tolerance."""
    from tripletlab.training.inference import embed

    difference = float(np.abs(embed(embedder, faces) - light(faces)).max())
    if not difference <= TOLERANCE:
        raise InputError(
            f"the exported network's embeddings differ by {difference:.1e} from the trained one's,"
            f" more than {TOLERANCE:.0e}: it was trained in lower precision, or the"
            " converter is wrong"
        )
    return difference


def _card(chosen: RunModel, run: RunRecord, store: FaceStore, light: Embedder, far: float) -> Card:
    own = calibration_pairs(store)
    pairs = store.validation if own is None else own
    rows, places = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    first, second = np.split(places, 2)
    embeddings = light(store.images[rows])
    if not np.isfinite(embeddings).all():
        count = np.count_nonzero(~np.isfinite(embeddings).all(axis=1))
        raise InputError(
            f"{chosen} gives {count:,} of {len(rows):,} calibration faces no embedding of unit"
            " length: it cannot be calibrated; export another network"
        )
    distances = pair_distances(embeddings, first, second)
    most = int(store.settings["validation_pairs"])
    threshold = threshold_at(far, distances, pairs.matched, most_pairs=most)
    people = len(np.unique(store.labels[rows]))
    names = ("accuracy", "accuracy_std", "auc", "precision", "recall")
    return Card(
        model=chosen.name,
        version=chosen.version,
        run_id=chosen.run_id,
        photos=run.tags["photos"],
        verification=run.tags["verification"],
        faces_fingerprint=run.tags["faces_fingerprint"],
        pairs_fingerprint=run.tags["pairs_fingerprint"],
        licence=LICENCES.get(run.params.get("photos", ""), UNKNOWN),
        metrics={one: run.metrics[name] for one in names if (name := f"test/{one}") in run.metrics},
        threshold=threshold,
        far=far,
        calibration=calibrate(distances, pairs.matched, threshold=threshold, people=people),
        calibrated_on="validation" if own is None else "calibration",
    )


def _print_result(bundle: Bundle, version: str) -> None:
    card = bundle.card
    curve, balanced = card.calibration, card.calibration.balanced()
    say(f"written: {bundle.folder} ({card.model} version {card.version}, run {card.run_id})")
    say(
        f"threshold {card.threshold:.3f}: accepts {curve.far_at(card.threshold):.2%} of strangers"
        f" (--far {card.far:g}) and {curve.tar_at(card.threshold):.1%} of photos of the same"
        f" person, on {curve.mismatched:,} + {curve.matched:,} pairs of {curve.people} people who"
        f" {CALIBRATED[card.calibrated_on]}; the balanced one, {balanced:.3f}, accepts"
        f" {curve.far_at(balanced):.1%} and {curve.tar_at(balanced):.1%}"
    )
    if doubt := curve.doubt(card.threshold):
        say(f"warning: the share of strangers is {doubt}")
    say(f"licence of the training data: {card.licence}")
    say(f"to serve it: tripletlab serve {card.model}-photos/{version}")
