"""Embeddings are evaluated: the LFW protocol, its card and its pictures, in one folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.bootstrap import RESAMPLES, Identities
from tripletlab.evaluation.card import make_card
from tripletlab.evaluation.identification import (
    Identified,
    identify,
    summary,
    two_galleries,
)
from tripletlab.evaluation.operating_points import tar_name
from tripletlab.evaluation.protocol import Distances, evaluate, pair_distances
from tripletlab.experiment.snapshots import Embeddings, Snapshot, draw_maps
from tripletlab.faces.store import PEOPLE_UNKNOWN, PairStore
from tripletlab.photos.names import known_by
from tripletlab.plots.card import write_card
from tripletlab.plots.distances import draw_distances
from tripletlab.plots.errors import draw_errors
from tripletlab.plots.identification import draw_identification
from tripletlab.plots.page import Picture
from tripletlab.plots.roc import draw_roc

MIDDLE = "no pair is dropped: where no face was found, the middle of the photo is used"
FOUND = "pairs were drawn among photos with a usable face; none had to be replaced"
WHOLE = "no pair is dropped, and no face had to be replaced"
OVERLAP = "people with the same name, regardless of case, accents and separators"
NOT_CHECKABLE = "not checkable: people are known only by number"
PEOPLE = "training_people.json"  # artifact: folders and names of those that a run was trained on
CAPTIONS = {  # of the pictures on the card, in their order
    "roc.png": "ROC curves: every fold and their mean; all pairs at once, on a logarithmic axis",
    "distances.png": "Squared distances of the pairs, and the thresholds of the folds",
    "errors.png": "The worst errors, often bad crops or wrong labels",
    "identification.png": "One to many: the rank of the right person, and open-set search",
    "umap.png": "UMAP of the embeddings (umap.html shows the faces)",
    "learning.png": "Learning curves",
}


def evaluate_embeddings(
    embeddings: Embeddings,
    store: PairStore,
    *,
    snapshots: Sequence[Snapshot],
    name: str,
    about: Mapping[str, Any],
    flip: bool,
    folder: Path,
) -> tuple[Distances, dict[str, float]]:
    """Evaluate embeddings of the store's faces; returns the pairs' distances and a summary.

    Writes card.json, card.md, card.html and the pictures; what lies there under their names
    already, such as learning.png, comes onto the card as well. `snapshots` of the training, the
    last of which is evaluated, animate the map; `about` is shown on the card.
    """
    pairs = store.pairs
    distances = pair_distances(embeddings, pairs.first, pairs.second)
    result = evaluate(distances, pairs.matched, pairs.fold)
    title = f"{name} on {store.title}, {len(distances):,} pairs"
    draw_roc(distances, pairs.matched, pairs.fold, result, title=title, path=folder / "roc.png")
    cuts = result.threshold
    draw_distances(distances, pairs.matched, cuts, title=title, path=folder / "distances.png")
    draw_errors(store, distances, cuts, title=title, path=folder / "errors.png")
    draw_maps(embeddings, store, snapshots, name, folder)
    card = make_card(
        result,
        distances,
        pairs.matched,
        pairs.fold,
        identities(store),
        about={**about_pairs(store), "test_time_flip": flip, **about},
        resamples=RESAMPLES,
        seed=0,
    )
    if store.notes.get(PEOPLE_UNKNOWN):
        card["pairs"]["people_at_most"] = card["pairs"].pop("people")
    if found := _identified(embeddings, store):
        heading = f"{name} on {store.title}, {_searchable(embeddings).size:,} faces"
        draw_identification(found, title=heading, path=folder / "identification.png")
        card["identification"] = summary(found)
    pictures = [Picture(text, folder / file) for file, text in CAPTIONS.items()]
    there = [picture for picture in pictures if picture.path.is_file()]
    write_card(card, title=title, folder=folder, pictures=there)
    return distances, {**result.summary(), **_operating_points(card["pooled"])}


def _operating_points(pooled: Mapping[str, Any]) -> dict[str, float]:
    """The equal error rate and TAR at each FAR of the card, by the names of metrics."""
    points = {tar_name(one["far"]): one["tar"] for one in pooled["tar_at_far"]}
    return {"eer": pooled["eer"], **points}


def identities(store: PairStore) -> Identities:
    """(pairs, 2) Who is on both sides of each pair."""
    return store.labels[store.pairs.sides]


def about_pairs(store: PairStore) -> dict[str, Any]:
    """What a card says of the test faces and pairs."""
    aligner = store.settings.get("aligner") or {}
    return {
        "verification": store.title,
        "missing_faces": _missing(store),
        "pairs_with_a_missing_face": int(store.fallback[store.pairs.sides].any(axis=1).sum()),
        "alignment": aligner.get("_target_", "none: the box of the detector").split(".")[-1],
        "preparation": store.settings,
        "pairs_fingerprint": store.fingerprint,
    }


def _missing(store: PairStore) -> str:
    """What became of photos without a found face."""
    if store.fallback.any():
        return MIDDLE
    return FOUND if "held_out_of" in store.notes else WHOLE


def about_training(
    trained_on: Mapping[str, str], store: PairStore, *, faces_fingerprint: str
) -> dict[str, Any]:
    """What a card says of the training people: how many, and who of them is in the test.

    `trained_on` are their folders and names; an empty name is not known. Nothing is said to be
    disjoint that could not be compared, unless the test people were held out of the same folders.
    """
    rows = np.union1d(store.pairs.first, store.pairs.second)
    tested = {store.names[row]: store.display_names[row] for row in rows}
    if store.notes.get("held_out_of") == faces_fingerprint:
        both, without_names = sorted(tested.keys() & trained_on.keys()), [0, 0]
    else:
        known = set().union(*known_by(trained_on).values())
        both = sorted(folder for folder, own in known_by(tested).items() if own & known)
        without_names = [list(people.values()).count("") for people in (trained_on, tested)]
    unclear = not both and any(without_names)
    return {
        "training_identities": len(trained_on),
        "training_people_in_the_test": NOT_CHECKABLE if unclear else len(both),
        "training_names_in_the_test": NOT_CHECKABLE
        if unclear
        else [tested[folder] or folder for folder in both],
        "training_people_without_names": without_names[0],
        "test_people_without_names": without_names[1],
        "overlap_means": OVERLAP,
    }


def _identified(embeddings: Embeddings, store: PairStore) -> Identified | None:
    """None where fewer than two people have two faces, or people are not all known apart."""
    if store.notes.get(PEOPLE_UNKNOWN):
        return None
    there = _searchable(embeddings)
    labels = store.labels[there]
    if np.count_nonzero(np.bincount(labels) > 1) < 2:
        return None
    return identify(embeddings[there], labels, two_galleries(labels, seed=0))


def _searchable(embeddings: Embeddings) -> NDArray[np.int64]:
    """The rows of the faces that have an embedding."""
    return np.flatnonzero(np.isfinite(embeddings).all(axis=1))
