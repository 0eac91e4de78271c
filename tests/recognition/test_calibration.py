"""Rates at thresholds, against a count of the pairs themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripletlab.errors import InputError
from tripletlab.recognition.calibration import LONGEST, STEPS, calibrate, threshold_at


def pairs(seed, count=500):
    rng = np.random.default_rng(seed)
    matched = np.arange(count) % 2 == 0
    return np.where(matched, rng.uniform(0, 2, count), rng.uniform(0.5, 4, count)), matched


def test_the_stored_points_are_counts():
    distances, matched = pairs(0)
    curve = calibrate(distances, matched)
    for threshold in np.linspace(0, LONGEST, STEPS + 1)[::37]:
        accepted = distances <= threshold
        assert curve.far_at(threshold) == pytest.approx(accepted[~matched].mean(), abs=1e-6)
        assert curve.tar_at(threshold) == pytest.approx(accepted[matched].mean(), abs=1e-6)
    assert (curve.matched, curve.mismatched) == (250, 250)


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


@pytest.mark.parametrize("kind", [True, False])
def test_pairs_of_one_kind_calibrate_nothing(kind):
    with pytest.raises(ValueError, match="matched and mismatched"):
        calibrate(np.ones(3), np.full(3, kind))
