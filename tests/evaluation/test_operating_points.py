"""EER and TAR at FAR against scikit-learn and against trying every threshold."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from tripletlab.evaluation.operating_points import (
    equal_error_rate,
    true_accept_rate,
    weighted_points,
)

SEEDS = range(8)


def case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """300 pairs; with an odd seed rounded, so that many are equal."""
    rng = np.random.default_rng(seed)
    matched = np.append([True, False], rng.random(298) < 0.4)
    distances = rng.normal(np.where(matched, 1.0, 1.6), 0.5)
    return np.round(distances, 1 if seed % 2 else 12), matched


@pytest.mark.parametrize("seed", SEEDS)
def test_tar_at_far_is_the_best_of_all_thresholds(seed: int) -> None:
    distances, matched = case(seed)
    for far in (0.3, 0.1, 0.01, 0.001, 0.0):
        wanted = 0.0
        for threshold in distances:
            same = distances <= threshold
            if (same & ~matched).sum() <= far * (~matched).sum():
                wanted = max(wanted, (same & matched).sum() / matched.sum())
        got = true_accept_rate(distances, matched, far=far).tar
        assert got == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_eer_lies_on_scikit_learns_curve(seed: int) -> None:
    distances, matched = case(seed)
    eer = equal_error_rate(distances, matched)
    false, true, _ = roc_curve(matched, -distances, drop_intermediate=False)
    after = np.argmax(false >= 1 - true)
    ends = np.array([false[after - 1 : after + 1], true[after - 1 : after + 1]])
    step = ends[:, 1] - ends[:, 0]
    # The point (eer, 1 - eer) lies on the line between the ends, and between them.
    cross = step[0] * (1 - eer - ends[1, 0]) - step[1] * (eer - ends[0, 0])
    assert cross == pytest.approx(0, abs=1e-12)
    assert ends[0, 0] - 1e-12 <= eer <= ends[0, 1] + 1e-12


def test_a_resample_without_one_kind_of_pairs() -> None:
    matched = np.array([True, True, False, False])
    points = weighted_points(np.array([0.1, 0.2, 0.3, 0.4]), matched, fars=(0.1, 0.01))
    only = np.array([matched, ~matched, np.ones(4)], np.float64)
    np.testing.assert_array_equal(points(only), [[0, 1, 0], [1, 0, 1], [1, 0, 1]])


def test_the_ends() -> None:
    matched = np.array([True, True, False, False])
    separated = np.array([0.1, 0.2, 0.3, 0.4])
    assert equal_error_rate(separated, matched) == 0
    assert equal_error_rate(-separated, matched) == 1
    assert equal_error_rate(np.ones(4), matched) == pytest.approx(0.5)
    assert true_accept_rate(np.ones(4), matched, far=0.1).tar == 0
    assert true_accept_rate(separated, matched, far=0.0).tar == 1


@pytest.mark.parametrize(("far", "supported"), [(0.1, True), (0.01, True), (0.001, False)])
def test_lfw_supports_one_in_a_hundred(far: float, supported: bool) -> None:
    """3,000 mismatched pairs give 30 false matches at 1 %, 3 at 0.1 %."""
    matched = np.arange(6000) < 3000
    point = true_accept_rate(np.linspace(0, 4, 6000), matched, far=far)
    assert point.supported is supported
