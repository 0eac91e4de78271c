"""Embeddings are judged: the LFW protocol, its card and its pictures, in one folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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
from tripletlab.evaluation.protocol import Distances, judge, pair_distances
from tripletlab.faces.store import PairStore
from tripletlab.photos.names import known_by
from tripletlab.plots.card import write_card
from tripletlab.plots.distances import draw_distances
from tripletlab.plots.embedding_map import Frame, Map, draw_map
from tripletlab.plots.embedding_sheet import draw_map_sheet
from tripletlab.plots.errors import draw_errors
from tripletlab.plots.identification import draw_identification
from tripletlab.plots.page import Picture
from tripletlab.plots.projection import FEWEST, film, neighbours, project
from tripletlab.plots.roc import draw_roc
from tripletlab.system.progress import say

MIDDLE = "no pair is dropped: the middle of the photo stands for a face that was not found"
FOUND = "pairs were drawn among photos with a usable face: none had to be replaced"
WHOLE = "no pair is dropped, and no face had to be replaced"
OVERLAP = "people with the same name, whatever its case, accents and separators"
NOT_CHECKABLE = "not checkable: people are known by numbers alone"
PEOPLE = "training_people.json"  # artifact: folders and names of those that a run was trained on
NEAREST = 5  # faces that the map shows beside the one at the pointer
CAPTIONS = {  # of the pictures on the card, in their order
    "roc.png": "ROC curves: every set and their mean; all pairs at once where few are accepted",
    "distances.png": "Squared distances of the pairs, and the thresholds of the sets",
    "errors.png": "The worst errors, where bad crops and wrong labels show",
    "identification.png": "One to many: the rank of the right person, and open-set search",
    "umap.png": "The embeddings in the plane (umap.html shows the faces)",
    "learning.png": "Learning curves",
}
Embeddings = NDArray[np.float32]  # (faces, dim), unit length; NaN where there is none


class Moment(NamedTuple):
    """The embeddings of the map's faces after an epoch; epoch 0 is the untrained network."""

    epoch: int
    embeddings: Embeddings  # (map rows, dim)


def judge_embeddings(
    embeddings: Embeddings,
    judged: PairStore,
    *,
    moments: Sequence[Moment],
    name: str,
    about: Mapping[str, Any],
    flip: bool,
    folder: Path,
) -> tuple[Distances, dict[str, float]]:
    """Judge embeddings of the pair store's faces; returns the pairs' distances and a summary.

    Writes card.json, card.md, card.html and the pictures; what lies there under their names
    already, such as learning.png, comes onto the card as well. `moments` of the training, up to
    the one that is judged, make the map a film; `about` is told on the card.
    """
    pairs = judged.pairs
    distances = pair_distances(embeddings, pairs.first, pairs.second)
    verdict = judge(distances, pairs.matched, pairs.fold)
    title = f"{name} on {judged.title}, {len(distances):,} pairs"
    draw_roc(distances, pairs.matched, pairs.fold, verdict, title=title, path=folder / "roc.png")
    cuts = verdict.threshold
    draw_distances(distances, pairs.matched, cuts, title=title, path=folder / "distances.png")
    draw_errors(judged, distances, cuts, title=title, path=folder / "errors.png")
    _draw_maps(embeddings, judged, moments, name, folder)
    card = make_card(
        distances,
        pairs.matched,
        pairs.fold,
        identities(judged),
        about={**about_pairs(judged), "test_time_flip": flip, **about},
        resamples=RESAMPLES,
        seed=0,
    )
    if found := _identified(embeddings, judged):
        heading = f"{name} on {judged.title}, {len(judged.names):,} faces"
        draw_identification(found, title=heading, path=folder / "identification.png")
        card["identification"] = summary(found)
    pictures = [Picture(text, folder / file) for file, text in CAPTIONS.items()]
    there = [picture for picture in pictures if picture.path.is_file()]
    write_card(card, title=title, folder=folder, pictures=there)
    return distances, {**verdict.summary(), **_operating_points(card["pooled"])}


def _operating_points(pooled: Mapping[str, Any]) -> dict[str, float]:
    """The equal error rate and TAR at each FAR of the card, by the names of metrics."""
    points = {f"tar_at_far_{one['far']:g}": one["tar"] for one in pooled["tar_at_far"]}
    return {"eer": pooled["eer"], **points}


def identities(judged: PairStore) -> Identities:
    """(pairs, 2) Who is on both sides of each pair."""
    sides = np.stack([judged.pairs.first, judged.pairs.second], axis=1)
    return np.unique(judged.names, return_inverse=True)[1][sides]


def about_pairs(judged: PairStore) -> dict[str, Any]:
    """What a card says of the faces and pairs that judge."""
    sides = np.stack([judged.pairs.first, judged.pairs.second], axis=1)
    aligner = judged.settings.get("aligner") or {}
    return {
        "verification": judged.title,
        "missing_faces": _missing(judged),
        "pairs_with_a_missing_face": int(judged.fallback[sides].any(axis=1).sum()),
        "alignment": aligner.get("_target_", "none: the box of the detector").split(".")[-1],
        "preparation": judged.settings,
        "pairs_fingerprint": judged.fingerprint,
    }


def _missing(judged: PairStore) -> str:
    """What became of photos without a found face."""
    if judged.fallback.any():
        return MIDDLE
    return WHOLE if judged.notes["rejected"] else FOUND


def about_training(
    trained_on: Mapping[str, str], judged: PairStore, *, faces_fingerprint: str
) -> dict[str, Any]:
    """What a card says of the training people: how many, and who of them is in the test.

    `trained_on` are their folders and names; an empty name is not known. Nothing is said to be
    disjoint that could not be compared, unless the test people were held out of the same folders.
    """
    rows = np.union1d(judged.pairs.first, judged.pairs.second)
    tested = {judged.names[row]: judged.called[row] for row in rows}
    if judged.notes.get("held_out_of") == faces_fingerprint:
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


def _draw_maps(
    embeddings: Embeddings, judged: PairStore, moments: Sequence[Moment], name: str, folder: Path
) -> None:
    """umap.html and umap.png, before and after the training where that is known; none of few."""
    rows = judged.map_rows[np.isfinite(embeddings[judged.map_rows]).all(axis=1)]
    if len(rows) < FEWEST:
        say(f"no map of the embeddings: nobody in {judged.title} has photos enough to fill one")
        return
    after = embeddings[rows]
    points = project(after, seed=0)
    maps = [Map("after training", points, neighbours(after, count=NEAREST))]
    frames: list[Frame] = []
    if len(moments) > 1:
        first, last = moments[0].embeddings, moments[-1].epoch
        before = Map("before training", project(first, seed=0), neighbours(first, count=NEAREST))
        maps = [before, maps[0]._replace(title=f"after epoch {last}, the one that is kept")]
        path = film([moment.embeddings for moment in moments], points, seed=0)
        frames = [
            Frame(f"after epoch {moment.epoch}" if moment.epoch else "untrained", place)
            for moment, place in zip(moments, path, strict=True)
        ]
        frames[-1] = Frame(maps[1].title, points)
    shown = [judged.names[row] for row in rows]
    title = f"{name} on {judged.title}, {len(rows)} faces of {len(set(shown))} people"
    draw_map_sheet(maps, shown, title=title, path=folder / "umap.png")
    draw_map(maps, frames, judged.images[rows], shown, title=title, path=folder / "umap.html")


def _identified(embeddings: Embeddings, judged: PairStore) -> Identified | None:
    """None where fewer than two people have two faces."""
    there = np.flatnonzero(np.isfinite(embeddings).all(axis=1))
    labels = np.unique(judged.names, return_inverse=True)[1][there]
    if np.count_nonzero(np.bincount(labels) > 1) < 2:
        return None
    return identify(embeddings[there], labels, two_galleries(labels, seed=0))
