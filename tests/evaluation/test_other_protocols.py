"""The rule of facenet's and insightface's lfw.py, and what of it makes a difference to ours."""

import numpy as np
import pytest

from benchmarks.other_protocols import by_grid
from tripletlab.evaluation.protocol import evaluate


def case(seed: int):
    """2,000 pairs in ten consecutive folds, as in LFW."""
    rng = np.random.default_rng(seed)
    matched = np.arange(2000) // 100 % 2 == 0
    distances = np.clip(rng.normal(np.where(matched, 0.9, 1.5), 0.4), 0.02, 3.9)
    return distances, matched, np.arange(2000) // 200


@pytest.mark.parametrize("seed", range(4))
def test_where_the_grid_loses_nothing_both_protocols_agree(seed: int) -> None:
    """Distances in the middle of the grid's cells: every threshold that matters is on the grid."""
    distances, matched, fold = case(seed)
    distances = np.floor(distances * 100) / 100 + 0.005
    ours, theirs = evaluate(distances, matched, fold), by_grid(distances, matched, folds=10)
    np.testing.assert_allclose(theirs.accuracy, ours.accuracy, atol=1e-12)
    assert theirs.auc == pytest.approx(ours.auc_pooled, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_elsewhere_they_differ_by_the_grids_cells_alone(seed: int) -> None:
    distances, matched, fold = case(seed)
    ours, theirs = evaluate(distances, matched, fold), by_grid(distances, matched, folds=10)
    assert theirs.accuracy.mean() == pytest.approx(ours.accuracy.mean(), abs=0.01)
    assert (theirs.accuracy != ours.accuracy).any()


def test_their_std_divides_by_n_and_ours_by_one_less() -> None:
    distances, matched, fold = case(0)
    distances = np.floor(distances * 100) / 100 + 0.005
    ours, theirs = evaluate(distances, matched, fold), by_grid(distances, matched, folds=10)
    assert ours.summary()["accuracy_std"] == pytest.approx(theirs.std * (10 / 9) ** 0.5)
