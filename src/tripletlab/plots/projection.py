"""Embeddings projected to the plane, once or epoch by epoch, and each one's nearest others."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]  # (n, dim)
Points = NDArray[np.float32]  # (n, 2)

FEWEST = 4  # faces; fewer have no neighbourhood to preserve
NEIGHBOURS = 15
ANIMATION_STEPS = 60  # of UMAP's optimisation; few, since each frame starts from the next one's map


class Neighbours(NamedTuple):
    """The faces nearest to each face in ascending order, and their squared distances; (n, k)."""

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]


def project(embeddings: Embeddings, *, seed: int) -> Points:
    """Project embeddings to (n, 2); the same seed gives the same map. ValueError below 4 rows."""
    # Few points: a spectral start would ask for more eigenvectors than there are.
    start = "spectral" if len(embeddings) > NEIGHBOURS else "random"
    return _umap(embeddings, seed=seed, init=start)


def project_snapshots(frames: Sequence[Embeddings], last: Points, *, seed: int) -> list[Points]:
    """Project every frame, for an animation that ends in `last`, the map of the last frame.

    Each starts from the map of the frame after it, so that the eye can follow a face.
    """
    maps = [last]
    for embeddings in reversed(frames[:-1]):
        maps.append(_umap(embeddings, seed=seed, init=maps[-1], n_epochs=ANIMATION_STEPS))
    return maps[::-1]


def neighbours(embeddings: Embeddings, *, count: int) -> Neighbours:
    """The at most `count` nearest other faces of each, by the distances of the embeddings."""
    from scipy.spatial.distance import cdist

    distances = cdist(embeddings, embeddings, "sqeuclidean")
    np.fill_diagonal(distances, np.inf)
    rows = np.argsort(distances, axis=1, kind="stable")[:, : min(count, len(embeddings) - 1)]
    return Neighbours(rows, np.take_along_axis(distances, rows, axis=1))


def _umap(embeddings: Embeddings, *, seed: int, **more: Any) -> Points:
    if len(embeddings) < FEWEST:
        raise ValueError(f"a map needs {FEWEST} faces, not {len(embeddings)}")
    # umap imports TensorFlow for ParametricUMAP, which takes seconds; in a notebook, its progress
    # bar asks for ipywidgets.
    with _without("tensorflow"), _compiled_once(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")
        from umap import UMAP

    count = min(NEIGHBOURS, len(embeddings) - 1)
    near = _nearest(embeddings, count=count)  # UMAP's own search takes 5 s to compile
    # UMAP warns that a seed means one job unless it is asked for one.
    umap = UMAP(n_neighbors=count, random_state=seed, n_jobs=1, precomputed_knn=near, **more)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "precomputed_knn")  # it could not place further points
        return np.asarray(umap.fit_transform(embeddings), np.float32)


def _nearest(
    embeddings: Embeddings, *, count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], None]:
    """Rows and distances (n, count) as UMAP wants them: each face is the nearest to itself."""
    others = neighbours(embeddings, count=count - 1).rows
    rows = np.column_stack([np.arange(len(embeddings)), others])
    return rows, np.linalg.norm(embeddings[:, None] - embeddings[rows], axis=2), None


@contextmanager
def _compiled_once() -> Iterator[None]:
    """Let numba keep on disk what is compiled of the functions that are defined in this context.

    By itself UMAP compiles its functions in every process, which takes 20 times as long as a map.
    """
    import numba

    plain = numba.njit
    numba.njit = partial(plain, cache=True)  # type: ignore[assignment]
    try:
        yield
    finally:
        numba.njit = plain


@contextmanager
def _without(package: str) -> Iterator[None]:
    """Make importing the package fail in this context, as if it were not installed; a package
    already loaded stays loaded."""
    there = package in sys.modules
    if not there:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if not there:
            del sys.modules[package]
