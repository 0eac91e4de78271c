"""Embeddings to the plane, once or epoch by epoch, and who is next to whom before that."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]  # (n, dim)
Points = NDArray[np.float32]  # (n, 2)

FEWEST = 4  # below it there is no neighbourhood to keep
NEIGHBOURS = 15
ANIMATION_STEPS = 60  # of the optimisation: a frame starts where the next one has ended


class Neighbours(NamedTuple):
    """The faces nearest to each face, nearest first, and their squared distances; (n, k)."""

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]


def project(embeddings: Embeddings, *, seed: int) -> Points:
    """Embeddings to the plane (n, 2); the same seed gives the same map. ValueError below 4 rows."""
    # Few points: a spectral start would ask for more eigenvectors than there are.
    start = "spectral" if len(embeddings) > NEIGHBOURS else "random"
    return _umap(embeddings, seed=seed, init=start)


def project_snapshots(frames: Sequence[Embeddings], last: Points, *, seed: int) -> list[Points]:
    """A map of every frame, for an animation that ends in `last`, the map of the last frame.

    Each starts from the map of the frame after it, so that a face can be followed with the eye.
    """
    maps = [last]
    for embeddings in reversed(frames[:-1]):
        maps.append(_umap(embeddings, seed=seed, init=maps[-1], n_epochs=ANIMATION_STEPS))
    return maps[::-1]


def neighbours(embeddings: Embeddings, *, count: int) -> Neighbours:
    """The `count` nearest other faces of each, in the space of the embeddings itself."""
    faces = embeddings.astype(np.float64)
    lengths = np.einsum("nd,nd->n", faces, faces)
    apart = np.maximum(lengths[:, None] + lengths - 2 * faces @ faces.T, 0)
    np.fill_diagonal(apart, np.inf)
    rows = np.argsort(apart, axis=1, kind="stable")[:, : min(count, len(faces) - 1)]
    return Neighbours(rows, np.take_along_axis(apart, rows, axis=1))


def _umap(embeddings: Embeddings, *, seed: int, **more: Any) -> Points:
    if len(embeddings) < FEWEST:
        raise ValueError(f"a map needs {FEWEST} faces, not {len(embeddings)}")
    with _without("tensorflow"):  # umap imports it for its parametric kind, and it takes seconds
        from umap import UMAP

    around = min(NEIGHBOURS, len(embeddings) - 1)
    # UMAP warns that a seed means one job unless it is asked for one.
    umap = UMAP(n_neighbors=around, random_state=seed, n_jobs=1, **more)
    return np.asarray(umap.fit_transform(embeddings), np.float32)


@contextmanager
def _without(package: str) -> Iterator[None]:
    """Importing the package fails in this context, as if it were not installed; one that is loaded
    already stays so."""
    there = package in sys.modules
    if not there:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if not there:
            del sys.modules[package]
