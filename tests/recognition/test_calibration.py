"""Rates at thresholds, against a count of the pairs themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripletlab.errors import InputError
from tripletlab.recognition.calibration import calibrate, threshold_at


def pairs(seed, count=500):
    rng = np.random.default_rng(seed)
    matched = np.arange(count) % 2 == 0
    return np.where(matched, rng.uniform(0, 2, count), rng.uniform(0.5, 4, count)), matched


@pytest.mark.parametrize("scale", [1, 0.01])
def test_the_curves_are_counts_of_the_pairs_however_small_the_distances(scale):
    """At a stored point exactly, between two of them within the pairs that lie there."""
    distances, matched = pairs(0)
    distances = distances * scale
    curve = calibrate(distances, matched)
    for threshold in curve.thresholds:
        accepted = distances <= threshold
        assert curve.far_at(threshold) == pytest.approx(accepted[~matched].mean(), abs=1e-6)
        assert curve.tar_at(threshold) == pytest.approx(accepted[matched].mean(), abs=1e-6)
    for threshold in np.linspace(0, 2 * scale, 41):
        accepted = distances <= threshold
        assert curve.far_at(threshold) == pytest.approx(accepted[~matched].mean(), abs=0.02)
    assert (curve.matched, curve.mismatched) == (250, 250)
    assert curve.far_at(curve.threshold_for(0.3)) == pytest.approx(0.3)
    assert len(curve.thresholds) <= 402


@given(st.integers(0, 50), st.floats(0.004, 0.99))
def test_a_threshold_keeps_its_promise_and_no_higher_one_would(seed, far):
    distances, matched = pairs(seed)
    threshold = threshold_at(far, distances, matched)
    strangers = np.sort(distances[~matched])
    accepted = int((strangers <= threshold).sum())
    assert accepted / len(strangers) <= far < (accepted + 1) / len(strangers)


def test_a_rate_that_the_pairs_cannot_tell_is_refused():
    with pytest.raises(InputError, match="validation_pairs"):
        threshold_at(0.001, *pairs(0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_distances_that_are_no_numbers_calibrate_nothing(value):
    distances, matched = pairs(0)
    distances[7] = value
    for function in (calibrate, lambda *pairs: threshold_at(0.1, *pairs)):
        with pytest.raises(ValueError, match="finite"):
            function(distances, matched)


@pytest.mark.parametrize("kind", [True, False])
def test_pairs_of_one_kind_calibrate_nothing(kind):
    with pytest.raises(ValueError, match="matched and mismatched"):
        calibrate(np.ones(3), np.full(3, kind))
