"""The protocol against loops over every fold and threshold, and at its edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from tripletlab.evaluation.protocol import auc, evaluate, mean_roc, pair_distances, roc

Case = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Pairs in 2 to 5 folds, each with both kinds; few distinct distances, so many ties."""
    folds = draw(st.integers(2, 5))
    size = draw(st.integers(2, 8))
    pairs = folds * size
    grid = draw(st.integers(1, 6))
    steps = draw(st.lists(st.integers(0, grid), min_size=pairs, max_size=pairs))
    matched = np.array(draw(st.lists(st.booleans(), min_size=pairs, max_size=pairs)))
    matched[::size], matched[1::size] = True, False
    shuffled = np.random.default_rng(draw(st.integers(0, 99))).permutation(pairs)
    fold = np.arange(pairs) // size
    return np.array(steps)[shuffled] / 4, matched[shuffled], fold[shuffled]


def best_threshold(distances: NDArray[np.float64], matched: NDArray[np.bool_]) -> float:
    """By trying each distance in ascending order; only a better one replaces an earlier one."""
    best, right = np.nan, -1
    for threshold in sorted(set(distances.tolist())):
        hits = sum((d <= threshold) == m for d, m in zip(distances, matched, strict=True))
        if hits > right:
            best, right = threshold, hits
    return best


@given(cases())
@settings(max_examples=150)
def test_every_fold_agrees_with_the_loops(case: Case) -> None:
    distances, matched, fold = case
    result = evaluate(distances, matched, fold)
    for k in range(int(fold.max()) + 1):
        inside = fold == k
        threshold = best_threshold(distances[~inside], matched[~inside])
        same = distances[inside] <= threshold
        truth = matched[inside]
        tp, fp = int((same & truth).sum()), int((same & ~truth).sum())
        fn, tn = int((~same & truth).sum()), int((~same & ~truth).sum())
        assert result.threshold[k] == threshold
        assert (result.tp[k], result.fp[k], result.fn[k], result.tn[k]) == (tp, fp, fn, tn)
        assert result.accuracy[k] == (tp + tn) / len(truth)
        assert result.precision[k] == (tp / (tp + fp) if tp + fp else 0)
        assert result.recall[k] == tp / (tp + fn)


@given(cases())
@settings(max_examples=80)
def test_auc_and_roc_agree_with_sklearn_under_ties(case: Case) -> None:
    distances, matched, _ = case
    assert auc(distances, matched) == pytest.approx(roc_auc_score(matched, -distances), abs=1e-12)
    false, true = roc(distances, matched)
    wanted_false, wanted_true, _ = roc_curve(matched, -distances, drop_intermediate=False)
    np.testing.assert_allclose(false, wanted_false, atol=1e-12)
    np.testing.assert_allclose(true, wanted_true, atol=1e-12)
    assert np.trapezoid(true, false) == pytest.approx(auc(distances, matched), abs=1e-12)


def lfw_like() -> Case:
    """6,000 pairs in 10 folds, of continuous distances."""
    rng = np.random.default_rng(7)
    matched = np.arange(6000) // 300 % 2 == 0
    return rng.normal(np.where(matched, 0.8, 1.4), 0.4) ** 2, matched, np.arange(6000) // 600


def test_summary_has_the_folds_means_and_std() -> None:
    distances, matched, fold = lfw_like()
    result = evaluate(distances, matched, fold)
    summary = result.summary()
    assert summary["accuracy"] == pytest.approx(sum(result.accuracy) / 10)
    assert summary["precision"] == pytest.approx(sum(result.precision) / 10)
    assert summary["recall"] == pytest.approx(sum(result.recall) / 10)
    assert summary["threshold"] == pytest.approx(sum(result.threshold) / 10)
    squares = sum((a - summary["accuracy"]) ** 2 for a in result.accuracy)
    assert summary["accuracy_std"] == pytest.approx((squares / 9) ** 0.5)
    assert summary["accuracy_standard_error"] == pytest.approx((squares / 90) ** 0.5)
    folds = [roc_auc_score(matched[fold == k], -distances[fold == k]) for k in range(10)]
    assert summary["auc"] == pytest.approx(np.mean(folds), abs=1e-12)
    assert summary["auc_pooled"] == pytest.approx(roc_auc_score(matched, -distances), abs=1e-12)
    assert summary["auc"] != summary["auc_pooled"]


def test_rates_are_means_of_the_folds_not_of_pooled_counts() -> None:
    distances = np.array([0.1, 0.2, 0.9, 0.1, 0.9, 0.2])
    matched = np.array([True, False, False, True, True, False])
    result = evaluate(distances, matched, np.array([0, 0, 0, 1, 1, 1]))
    assert result.threshold.tolist() == [0.1, 0.1]
    assert result.summary()["recall"] == pytest.approx((1 + 1 / 2) / 2)  # pooled: 2 / 3


def test_the_order_of_the_pairs_does_not_matter() -> None:
    distances, matched, fold = lfw_like()
    order = np.random.default_rng(0).permutation(len(fold))
    one = evaluate(distances, matched, fold).summary()
    assert evaluate(distances[order], matched[order], fold[order]).summary() == one


def test_a_fold_has_no_part_in_its_own_threshold() -> None:
    distances, matched, fold = lfw_like()
    moved = np.where(fold == 3, distances + 1.0, distances)
    one, other = evaluate(distances, matched, fold), evaluate(moved, matched, fold)
    assert one.threshold[3] == other.threshold[3]
    assert one.tp[3] > other.tp[3]


def test_where_nothing_is_called_the_same_person_precision_is_zero() -> None:
    distances = np.array([0.1, 0.9, 2.0, 3.0])
    matched = np.array([True, False, True, False])
    result = evaluate(distances, matched, np.array([0, 0, 1, 1]))
    assert result.threshold.tolist() == [2.0, 0.1]
    assert (result.precision[1], result.recall[1], result.accuracy[1]) == (0, 0, 0.5)


def test_all_distances_equal_is_chance() -> None:
    matched = np.tile([True, False], 6)
    result = evaluate(np.ones(12), matched, np.repeat([0, 1, 2], 4))
    summary = result.summary()
    assert summary["accuracy"] == summary["auc"] == summary["auc_pooled"] == 0.5
    assert (summary["threshold"], summary["recall"], summary["accuracy_std"]) == (1, 1, 0)


def test_perfect_separation() -> None:
    matched = np.tile([True, False], 4)
    result = evaluate(np.where(matched, 0.5, 2.0), matched, np.repeat([0, 1], 4))
    assert result.summary()["accuracy"] == result.summary()["auc"] == 1
    assert result.threshold.tolist() == [0.5, 0.5]  # the smallest of the equally good ones


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_distances_must_be_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        evaluate(
            np.array([0.1, 0.2, bad, 0.4]), np.array([True, False] * 2), np.array([0, 0, 1, 1])
        )


@pytest.mark.parametrize("fold", [[0, 0, 0, 0], [1, 1, 2, 2], [0, 0, 2, 2], [-1, -1, 0, 0]])
def test_folds_must_be_two_or_more_from_zero(fold: list[int]) -> None:
    with pytest.raises(ValueError, match="at least two"):
        evaluate(np.arange(4.0), np.array([True, False] * 2), np.array(fold))


def test_no_pairs_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least two"):
        evaluate(np.empty(0), np.empty(0, bool), np.empty(0, np.int64))


@pytest.mark.parametrize("kind", [True, False])
def test_a_fold_of_one_kind_is_an_error(kind: bool) -> None:
    matched = np.array([True, False, kind, kind])
    with pytest.raises(ValueError, match="fold 1"):
        evaluate(np.arange(4.0), matched, np.array([0, 0, 1, 1]))
    with pytest.raises(ValueError, match="matched and mismatched"):
        auc(np.arange(2.0), matched[2:])


def test_pair_distances_are_squared_and_in_double_precision() -> None:
    embeddings = np.array([[0, 0], [3, 4], [1, 0]], np.float32)
    distances = pair_distances(embeddings, np.array([0, 1, 2]), np.array([1, 1, 0]))
    assert distances.tolist() == [25, 0, 1]
    assert distances.dtype == np.float64


def test_what_is_not_a_number_stays_none() -> None:
    embeddings = np.array([[0, 0], [np.nan, 4]], np.float32)
    assert np.isnan(pair_distances(embeddings, np.array([0]), np.array([1]))).all()
    with np.errstate(invalid="ignore"):
        false, true = roc(np.array([0.1, 0.2]), np.array([True, True]))
    assert np.isnan(false[1:]).all()
    assert true.tolist() == [0, 0.5, 1]


def test_the_mean_roc_averages_the_folds_vertically() -> None:
    distances = np.array([0.0, 1.0, 1.0, 0.0])  # fold 0 is perfect, fold 1 is perfectly wrong
    matched = np.array([True, False, True, False])
    false, true = mean_roc(distances, matched, np.array([0, 0, 1, 1]), points=3)
    assert false.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert true.tolist() == [0.0, 0.5, 0.5, 1.0]


def test_the_area_below_the_mean_roc_is_the_mean_auc() -> None:
    distances, matched, fold = lfw_like()
    false, true = mean_roc(distances, matched, fold, points=3001)
    area = np.trapezoid(true, false)
    assert area == pytest.approx(evaluate(distances, matched, fold).auc.mean(), abs=1e-3)
