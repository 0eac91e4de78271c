"""Rates at thresholds, against a count of the pairs themselves."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripletlab.errors import InputError
from tripletlab.recognition.calibration import Calibration, calibrate, threshold_at


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
    assert curve.tar_at(curve.threshold_accepting(0.3)) == pytest.approx(0.3, abs=1e-6)
    assert len(curve.thresholds) <= 402


@pytest.mark.parametrize("seed", range(5))
def test_the_balanced_threshold_errs_as_often_either_way(seed):
    distances, matched = pairs(seed)
    accepted = distances <= calibrate(distances, matched).balanced()
    assert accepted[~matched].mean() == pytest.approx(1 - accepted[matched].mean(), abs=0.01)


def test_no_pair_accepted_is_a_bound_not_a_rate_of_zero():
    distances, matched = pairs(0)
    nearest = float(distances[~matched].min())
    curve = calibrate(distances, matched, threshold=nearest)
    assert curve.most_far_at(nearest - 0.01) == pytest.approx(3 / 250)
    assert curve.most_far_at(nearest) is None
    assert calibrate(np.array([1.0, 2.0]), np.array([True, False])).most_far_at(0.5) == 1


@pytest.mark.parametrize(
    ("people", "accepted", "says"),
    [
        (10, 30, ""),
        (None, 30, ""),
        (3, 30, "only 3 people; among"),
        (None, 29, "only fewer than 30 false accepts; among"),
        (9, 1, "only 9 people and fewer than 30 false accepts; among"),
    ],
)
def test_rates_of_few_people_or_few_false_accepts_are_doubted(people, accepted, says):
    distances, matched = pairs(0)
    threshold = float(np.sort(distances[~matched])[accepted - 1])
    curve = calibrate(distances, matched, threshold=threshold, people=people)
    doubt = curve.doubt(threshold)
    assert says in doubt
    assert bool(doubt) == bool(says)


def test_a_calibration_written_without_people_can_be_read():
    written = calibrate(*pairs(0)).model_dump()
    del written["people"]
    assert Calibration(**written).people is None


@given(st.integers(0, 50), st.floats(0.004, 0.99))
def test_a_threshold_keeps_its_promise_and_no_higher_one_would(seed, far):
    distances, matched = pairs(seed)
    threshold = threshold_at(far, distances, matched)
    strangers = np.sort(distances[~matched])
    accepted = int((strangers <= threshold).sum())
    assert accepted / len(strangers) <= far < (accepted + 1) / len(strangers)


@pytest.mark.parametrize("seed", range(5))
def test_the_rate_at_the_threshold_in_use_is_counted_and_keeps_the_promise(seed):
    """10,000 pairs: between two stored points the share of strangers may be above the one asked."""
    distances, matched = pairs(seed, 10_000)
    threshold = threshold_at(0.01, distances, matched)
    curve = calibrate(distances, matched, threshold=threshold)
    strangers = distances[~matched]
    assert curve.far_at(threshold) == pytest.approx((strangers <= threshold).mean(), abs=1e-6)
    assert curve.far_at(threshold) <= 0.01
    assert len(curve.thresholds) <= 403


@given(st.integers(0, 50), st.integers(1, 99), st.integers(2, 60))
def test_a_threshold_keeps_its_promise_under_ties(seed, percent, levels):
    """Distances of few different values: by brute force over all thresholds."""
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, levels, 200) / levels
    matched = np.arange(200) % 2 == 0
    strangers = distances[~matched]
    kept = [t for t in np.unique(strangers) if (strangers <= t).sum() <= percent]
    if not kept:
        with pytest.raises(InputError, match="resolve rates"):
            threshold_at(percent / 100, distances, matched)
        return
    accepted = strangers <= threshold_at(percent / 100, distances, matched)
    assert (accepted == (strangers <= max(kept))).all()


def test_floating_point_takes_no_pair_away():
    distances = np.concatenate([np.arange(100) / 100, np.zeros(1)])
    matched = np.arange(101) == 100
    for percent in range(1, 100):
        threshold = threshold_at(percent / 100, distances, matched)
        assert (distances[~matched] <= threshold).sum() == percent


@pytest.mark.parametrize("far", [float("nan"), -0.1, 0.0, 1.0, float("inf")])
def test_a_share_that_is_none_is_refused(far):
    with pytest.raises(InputError, match="between 0 and 1"):
        threshold_at(far, *pairs(0))


@pytest.mark.parametrize("count", [*range(6, 140, 2), 600, 2004])
@pytest.mark.parametrize("ties", [1, 2])
def test_a_rate_that_the_pairs_cannot_resolve_is_refused_with_one_that_works(count, ties):
    distances, matched = pairs(0, count)
    strangers = np.flatnonzero(~matched)
    nearest = strangers[np.argsort(distances[strangers])][:ties]
    distances[nearest] = 0
    with pytest.raises(InputError, match="more people or more photos") as refused:
        threshold_at(0.0001, distances, matched)
    far = float(re.search(r"give --far (\S+), or", str(refused.value))[1])
    threshold = threshold_at(far, distances, matched)
    assert (distances[strangers] <= threshold).mean() <= far < 1.1 * ties / len(strangers) + 0.001


def test_the_number_of_pairs_is_named_where_it_is_the_limit():
    with pytest.raises(InputError, match=r"--far 0\.004, .* a higher faces\.validation_pairs"):
        threshold_at(0.001, *pairs(0), most_pairs=250)


def test_strangers_who_are_all_equally_near_give_no_rate():
    with pytest.raises(InputError, match="from 1 to below 1; prepare with"):
        threshold_at(0.01, np.ones(20), np.arange(20) % 2 == 0)


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
