"""Snapshots of the embeddings while a network is trained, and the maps and animation of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.store import PairStore
from tripletlab.plots.embedding_map import Map, MapFrame, draw_map
from tripletlab.plots.embedding_sheet import draw_map_sheet
from tripletlab.plots.projection import FEWEST, neighbours, project, project_snapshots
from tripletlab.system.progress import say

FRAMES = 9  # of the animation, at most
NEAREST = 5  # faces that the map shows beside the one at the pointer
Embeddings = NDArray[np.float32]  # (faces, dim), unit length; NaN where there is none


class Snapshot(NamedTuple):
    """The embeddings of the map's faces after an epoch; epoch 0 is the untrained network."""

    epoch: int
    embeddings: Embeddings  # (map rows, dim)


def animation(first: Snapshot, between: Sequence[Snapshot], last: Snapshot) -> list[Snapshot]:
    """At most FRAMES snapshots at even intervals, the first and the last among them.

    Those after the epoch of `last` are left out. A resumed run has no snapshots of the epochs
    before it was stopped.
    """
    kept = [first, *(snapshot for snapshot in between if snapshot.epoch < last.epoch), last]
    places = np.linspace(0, len(kept) - 1, min(FRAMES, len(kept))).round().astype(int)
    return [kept[place] for place in places]


def draw_maps(
    embeddings: Embeddings, store: PairStore, snapshots: Sequence[Snapshot], name: str, folder: Path
) -> None:
    """Draw umap.html and umap.png; with snapshots of before and after training, animated.

    Draws nothing where the store has fewer than FEWEST faces for a map.
    """
    rows = store.map_rows[np.isfinite(embeddings[store.map_rows]).all(axis=1)]
    if len(rows) < FEWEST:
        say(f"no map of the embeddings: nobody in {store.title} has enough photos for one")
        return
    after = embeddings[rows]
    points = project(after, seed=0)
    maps = [Map("after training", points, neighbours(after, count=NEAREST))]
    frames: list[MapFrame] = []
    if len(snapshots) > 1:
        first, last = snapshots[0].embeddings, snapshots[-1].epoch
        before = Map("before training", project(first, seed=0), neighbours(first, count=NEAREST))
        maps = [before, maps[0]._replace(title=f"after epoch {last}, the one that is kept")]
        path = project_snapshots([snapshot.embeddings for snapshot in snapshots], points, seed=0)
        frames = [
            MapFrame(f"after epoch {snapshot.epoch}" if snapshot.epoch else "untrained", place)
            for snapshot, place in zip(snapshots, path, strict=True)
        ]
        frames[-1] = MapFrame(maps[1].title, points)
    names = [store.names[row] for row in rows]
    title = f"{name} on {store.title}, {len(rows)} faces of {len(set(names))} people"
    draw_map_sheet(maps, names, title=title, path=folder / "umap.png")
    draw_map(maps, frames, store.images[rows], names, title=title, path=folder / "umap.html")
