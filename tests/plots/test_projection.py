"""The plane: the same for the same seed, people together; and neighbours against sorting."""

import numba
import numpy as np
import pytest

from tripletlab.plots.projection import neighbours, project, project_snapshots


def two_people(rows: int) -> np.ndarray:
    """Unit embeddings (rows, 8) of two people, taking turns."""
    rng = np.random.default_rng(0)
    centres = np.eye(8)[np.arange(rows) % 2]
    embeddings = centres + 0.05 * rng.normal(size=(rows, 8))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(embeddings, np.float32)


@pytest.mark.filterwarnings("error::UserWarning")
def test_the_same_seed_gives_the_same_map_and_people_stay_together() -> None:
    embeddings = two_people(40)
    points = project(embeddings, seed=3)
    np.testing.assert_array_equal(points, project(embeddings, seed=3))
    assert points.shape == (40, 2)
    assert np.isfinite(points).all()
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    assert (nearest % 2 == np.arange(40) % 2).all()


def test_what_is_compiled_of_umap_is_kept_on_disk_for_other_processes() -> None:
    before = numba.njit
    project(two_people(16), seed=0)
    from umap.umap_ import smooth_knn_dist

    assert smooth_knn_dist.stats.cache_path
    assert numba.njit is before


@pytest.mark.parametrize("rows", [4, 5, 14, 15, 16])
def test_few_faces_have_a_map_too(rows: int) -> None:
    points = project(two_people(rows), seed=0)
    assert points.shape == (rows, 2)
    assert np.isfinite(points).all()


def test_fewer_than_four_faces_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 4 faces, not 3"):
        project(two_people(3), seed=0)


def test_a_collapsed_network_has_a_map_too() -> None:
    """All embeddings coincide: the picture of that failure must not fail itself."""
    points = project(np.ones((30, 8), np.float32), seed=0)
    assert np.isfinite(points).all()


def test_neighbours_are_the_nearest_others() -> None:
    embeddings = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    nearest = neighbours(embeddings, count=4)
    for row, face in enumerate(embeddings.astype(float)):
        distances = ((embeddings.astype(float) - face) ** 2).sum(axis=1)
        order = [other for other in np.argsort(distances) if other != row][:4]
        assert nearest.rows[row].tolist() == order
        assert nearest.distances[row] == pytest.approx(distances[order])
    assert neighbours(embeddings[:3], count=5).rows.shape == (3, 2)


def test_an_animation_ends_in_the_last_map_and_faces_turn_little() -> None:
    """Frames that hardly differ; the last map is turned, so that only a warm start stays close."""
    rng = np.random.default_rng(0)
    last = two_people(40)
    frames = [last + rng.normal(0, 0.01, last.shape).astype(np.float32), last]
    points = project(last, seed=0)[:, ::-1] * np.float32([1, -1])  # by 90 degrees
    first, second = project_snapshots(frames, points, seed=0)
    np.testing.assert_array_equal(second, points)
    one, other = (points - points.mean(axis=0) for points in (first, second))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    assert np.median((one * other).sum(axis=1) / lengths) > 0.8  # the cosine of its turn
