"""Embeddings are judged: the LFW protocol, its card and its pictures, in one folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.store import PairStore
from tripletlab.pictures.card import write_card
from tripletlab.pictures.embedding_map import draw_map, project
from tripletlab.pictures.roc import draw_roc
from tripletlab.verification.bootstrap import RESAMPLES
from tripletlab.verification.card import make_card
from tripletlab.verification.protocol import Distances, judge, pair_distances

MIDDLE = "no pair is dropped: the middle of the photo stands for a face that was not found"
FOUND = "pairs were drawn among photos with a usable face: none had to be replaced"
Embeddings = NDArray[np.float32]  # (faces, dim), unit length


def evaluate(
    before: Embeddings,
    after: Embeddings,
    judged: PairStore,
    *,
    name: str,
    about: Mapping[str, Any],
    folder: Path,
) -> tuple[Distances, dict[str, float]]:
    """Judge embeddings of the pair store's faces by an untrained and by the trained network.

    Writes card.json, card.md, card.html, roc.png and umap.html; returns the distances of the pairs
    and the summary. `about` is told on the card: who was trained on, and what network it was.
    """
    pairs = judged.pairs
    untrained, distances = (
        pair_distances(one, pairs.first, pairs.second) for one in (before, after)
    )
    verdict = judge(distances, pairs.matched, pairs.fold)
    title = f"{name} on {judged.title}, {len(distances):,} pairs"
    draw_roc(distances, pairs.matched, pairs.fold, verdict, title=title, path=folder / "roc.png")
    rows = judged.map_rows
    draw_map(
        project(before[rows], seed=0),
        project(after[rows], seed=0),
        judged.images[rows],
        [judged.names[row] for row in rows],
        title=f"{name} on {judged.title}, {len(rows)} faces",
        path=folder / "umap.html",
    )
    sides = np.stack([pairs.first, pairs.second], axis=1)
    card = make_card(
        distances,
        pairs.matched,
        pairs.fold,
        np.unique(judged.names, return_inverse=True)[1][sides],
        about={**about_pairs(judged), **about},
        resamples=RESAMPLES,
        seed=0,
    )
    write_card(card, title=title, folder=folder, roc=folder / "roc.png")
    chance = judge(untrained, pairs.matched, pairs.fold).summary()
    summary = {
        **verdict.summary(),
        "untrained_accuracy": chance["accuracy"],
        "untrained_auc": chance["auc"],
    }
    return distances, summary


def about_pairs(judged: PairStore) -> dict[str, Any]:
    """What a card says of the faces and pairs that judge."""
    pairs = judged.pairs
    sides = np.stack([pairs.first, pairs.second], axis=1)
    return {
        "verification": judged.title,
        "missing_faces": MIDDLE if judged.notes["rejected"] else FOUND,
        "pairs_with_a_missing_face": int(judged.fallback[sides].any(axis=1).sum()),
        "test_time_flip": False,
        "preparation": judged.settings,
        "pairs_fingerprint": judged.fingerprint,
    }
