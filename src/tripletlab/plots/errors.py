"""The worst errors of a model, often bad crops or wrong labels."""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.protocol import Distances
from tripletlab.faces.store import PairStore
from tripletlab.plots.montage import MOST, Panel, Shown, draw_montage, shorten


def draw_errors(
    store: PairStore, distances: Distances, thresholds: Distances, *, title: str, path: Path
) -> None:
    """Write a PNG: the pairs farthest on the wrong side of their fold's threshold."""
    pairs = store.pairs
    excess = distances - thresholds[pairs.fold]  # at or below 0: accepted
    false_matches = _worst(excess, ~pairs.matched & (excess <= 0))
    false_non_matches = _worst(-excess, pairs.matched & (excess > 0))
    panels = [
        _panel("False matches: two people accepted as one", false_matches, store, distances),
        _panel(
            "False non-matches: one person rejected as two", false_non_matches, store, distances
        ),
    ]
    note = "in bold: the squared distance; the farthest from the threshold of their fold come first"
    draw_montage(panels, title=f"{title}\n{note}", path=path)


def shown(store: PairStore, pair: int, headline: str) -> Shown:
    """A pair of the store for a montage, with a headline above the names of its photos."""
    rows = int(store.pairs.first[pair]), int(store.pairs.second[pair])
    one, other = (shorten(_name(store.names[row], store.sources[row])) for row in rows)
    return Shown(
        (store.images[rows[0]], store.images[rows[1]]),
        (headline, one, other),
        (bool(store.fallback[rows[0]]), bool(store.fallback[rows[1]])),
    )


def _worst(excess: Distances, wrong: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The wrong pairs, the most negative first."""
    chosen = np.flatnonzero(wrong)
    return chosen[np.argsort(excess[chosen], kind="stable")]


def _panel(
    heading: str, chosen: NDArray[np.int64], store: PairStore, distances: Distances
) -> Panel:
    return Panel(
        f"{heading} ({len(chosen):,}; the worst {min(len(chosen), MOST)})",
        [shown(store, int(pair), f"{distances[pair]:.3f}") for pair in chosen[:MOST]],
    )


def _name(person: str, source: str) -> str:
    """The name of a photo: LFW's file names hold the person's, others only a number."""
    stem = PurePosixPath(source).stem
    return stem if stem.startswith(person) else f"{person}/{stem}"
