"""The worst errors of a model, where bad crops and wrong labels show."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.protocol import Distances
from tripletlab.faces.store import PairStore
from tripletlab.plots.montage import COLUMNS, ROWS, Panel, Shown, draw_montage, shorten

MOST = COLUMNS * ROWS


def draw_errors(
    store: PairStore, distances: Distances, thresholds: Distances, *, title: str, path: Path
) -> None:
    """Write a PNG: the pairs farthest on the wrong side of their set's threshold, worst first."""
    pairs = store.pairs
    beyond = distances - thresholds[pairs.fold]  # at or below 0: called the same person
    false_matches = _worst(beyond, ~pairs.matched & (beyond <= 0))
    false_non_matches = _worst(-beyond, pairs.matched & (beyond > 0))
    panels = [
        _panel("False matches: two people, called one", false_matches, store, distances),
        _panel("False non-matches: one person, called two", false_non_matches, store, distances),
    ]
    draw_montage(panels, title=title, path=path)


def shown(store: PairStore, pair: int, *headline: str) -> Shown:
    """A pair of the store for a montage, with words above the names of its photos."""
    rows = int(store.pairs.first[pair]), int(store.pairs.second[pair])
    one, other = (shorten(_name(store.names[row], store.sources[row])) for row in rows)
    return Shown(
        (store.images[rows[0]], store.images[rows[1]]),
        (" ".join(headline), one, other),
        (bool(store.fallback[rows[0]]), bool(store.fallback[rows[1]])),
    )


def _worst(beyond: Distances, wrong: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The wrong pairs, the most negative first."""
    chosen = np.flatnonzero(wrong)
    return chosen[np.argsort(beyond[chosen], kind="stable")]


def _panel(
    heading: str, chosen: NDArray[np.int64], store: PairStore, distances: Distances
) -> Panel:
    worst: Iterable[int] = chosen[:MOST].tolist()
    return Panel(
        f"{heading} ({len(chosen):,}; the worst {min(len(chosen), MOST)})",
        [shown(store, pair, f"{distances[pair]:.3f}") for pair in worst],
        "none",
    )


def _name(person: str, source: str) -> str:
    """LFW's file names say who it is; others only their number."""
    stem = PurePosixPath(source).stem
    return stem if stem.startswith(person) else f"{person}/{stem}"
