"""Comparisons against plain counting, scipy and simulated truth."""

import numpy as np
import pytest
from scipy.stats import binomtest, t
from sklearn.metrics import roc_auc_score

from tripletlab.evaluation.comparison import compare, decide, holm, mcnemar, resamples_for
from tripletlab.evaluation.protocol import evaluate

DRAWS = {"resamples": 200, "seed": 0}


def pairs(seed: int, people: int = 60):
    """600 pairs of some people in six folds, and distances of a model that is often correct."""
    rng = np.random.default_rng(seed)
    matched = np.tile([True, False], 300)
    one = rng.integers(0, people, 600)
    other = np.where(matched, one, (one + rng.integers(1, people, 600)) % people)
    distances = rng.normal(np.where(matched, 1.0, 1.6), 0.5)
    return distances, matched, np.arange(600) // 100, np.stack([one, other], axis=1)


def compared(seed: int, noise: float, people: int = 60, **draws):
    distances, matched, fold, identities = pairs(seed, people)
    worse = distances + np.random.default_rng(seed + 99).normal(0, noise, 600)
    decisions = [decide(one, matched, fold) for one in (distances, worse)]
    return decisions, matched, compare(decisions, matched, identities, **{**DRAWS, **draws})[0, 1]


def test_decisions_are_those_of_the_protocol() -> None:
    distances, matched, fold, _ = pairs(0)
    result, made = evaluate(distances, matched, fold), decide(distances, matched, fold)
    for k, threshold in enumerate(result.threshold):
        inside = fold == k
        right = (distances[inside] <= threshold) == matched[inside]
        assert made.correct[inside].tolist() == right.tolist()
        assert right.sum() == result.tp[k] + result.tn[k]
        assert made.excess[inside] == pytest.approx(distances[inside] - threshold)


@pytest.mark.parametrize("seed", range(3))
def test_everything_that_can_be_counted_is_counted(seed: int) -> None:
    (one, other), matched, got = compared(seed, noise=0.4)
    only = [0, 0]
    for right, wrong in zip(one.correct, other.correct, strict=True):
        only[0] += bool(right and not wrong)
        only[1] += bool(wrong and not right)
    assert [got.only_first, got.only_second] == only
    assert got.accuracy.value == pytest.approx(one.correct.mean() - other.correct.mean())
    aucs = [roc_auc_score(matched, -model.distances) for model in (one, other)]
    assert got.auc.value == pytest.approx(aucs[0] - aucs[1], abs=1e-12)
    assert got.agreement == pytest.approx(1 - sum(only) / 600)
    assert got.mcnemar == pytest.approx(binomtest(only[0], sum(only), 0.5).pvalue)


def test_a_real_difference_is_found_and_its_interval_holds_it() -> None:
    got = compared(0, noise=1.5)[2]
    for difference in (got.accuracy, got.auc):
        assert 0 < difference.low < difference.value < difference.high
        assert difference.p == pytest.approx(2 / 201)  # the least possible p of 200 resamples


def test_differences_of_few_people_are_judged_by_student_s_t_or_not_at_all() -> None:
    some = compared(0, noise=0.4, people=10)[2].auc
    error = (some.high - some.low) / 2 / t.ppf(0.975, 9)
    assert some.value == pytest.approx((some.low + some.high) / 2)
    assert some.p == pytest.approx(2 * t.sf(some.value / error, 9))
    none = compared(0, noise=1.5, people=7)[2]
    for difference in (none.accuracy, none.auc):
        assert difference.value > 0.1
        assert difference[1:] == (None, None, 1)


def test_a_model_does_not_differ_from_itself() -> None:
    got = compared(0, noise=0)[2]
    assert got.accuracy[:3] == got.auc[:3] == (0, 0, 0)
    assert got.accuracy.p == got.auc.p == got.mcnemar == got.agreement == 1


def test_equally_good_models_rarely_differ() -> None:
    """Of 60 pairs of models with the same truth, about 3 should come below 0.05."""
    below = 0
    for seed in range(60):
        distances, matched, fold, identities = pairs(seed)
        rng = np.random.default_rng(seed + 500)
        both = [distances + rng.normal(0, 0.5, 600) for _ in range(2)]
        decisions = [decide(one, matched, fold) for one in both]
        below += (
            compare(decisions, matched, identities, resamples=100, seed=seed)[0, 1].auc.p < 0.05
        )
    assert below <= 8


def test_mcnemar_of_nothing_is_one() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(10, 0) == pytest.approx(2 / 2**10)


def test_holm_steps_down() -> None:
    """By hand: 5 × .005, 4 × .01, 3 × .03, then .09 again as 2 × .04 is below it, and .9."""
    assert holm([0.01, 0.04, 0.03, 0.005, 0.9]) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.9])
    assert holm([0.4, 0.7]) == pytest.approx([0.8, 0.8])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


@pytest.mark.parametrize("models", [2, 12, 40])
def test_the_least_p_of_all_comparisons_shows_a_difference(models: int) -> None:
    pairs, least = models * (models - 1) // 2, 2 / (resamples_for(models) + 1)
    assert max(holm([least] * pairs)) <= 0.025
