"""The bootstrap against one that really copies pairs, and against simulated truth."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from tripletlab.evaluation.bootstrap import (
    identity_weights,
    interval,
    resampled,
    weighted_auc,
    weighted_ratio,
)
from tripletlab.evaluation.protocol import auc, pair_distances

PEOPLE, PHOTOS = 30, 4


def auc_resamples(distances, matched, identities, *, seed, resamples=400):
    statistic = weighted_auc(distances, matched)
    return resampled([statistic], matched, identities, resamples=resamples, seed=seed)[0]


def pairs_of(people: int, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """All matched pairs of people with PHOTOS each, as many mismatched: flags, (pairs, 2) rows."""
    rng = np.random.default_rng(seed)
    rows = np.arange(people * PHOTOS).reshape(people, PHOTOS)
    one, other = np.triu_indices(PHOTOS, 1)
    same = np.stack([rows[:, one].ravel(), rows[:, other].ravel()], axis=1)
    two = rng.integers(0, rows.size, (len(same) * 2, 2))
    two = two[two[:, 0] // PHOTOS != two[:, 1] // PHOTOS][: len(same)]
    return np.arange(len(same) + len(two)) < len(same), np.concatenate([same, two])


def embeddings_of(people: int, seed: int, noise: float) -> NDArray[np.float32]:
    """A centre a person, and a noise that is a person's own: some are harder than others."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(size=(people, 8)), PHOTOS, axis=0)
    scale = np.repeat(rng.gamma(2, noise / 2, (people, 1)), PHOTOS, axis=0)
    return (centres + scale * rng.normal(size=centres.shape)).astype(np.float32)


def case(
    seed: int = 0, noise: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    matched, rows = pairs_of(PEOPLE, seed=3)
    distances = pair_distances(embeddings_of(PEOPLE, seed, noise), rows[:, 0], rows[:, 1])
    return distances, matched, rows // PHOTOS


@pytest.mark.parametrize("decimals", [9, 0])
def test_weights_agree_with_copying_the_pairs(decimals: int) -> None:
    """Rounded to whole numbers, few distinct distances are left: many ties."""
    distances, matched, identities = case()
    distances = np.round(distances / 4, decimals)
    (weights,) = identity_weights(matched, identities, resamples=20, seed=5)
    drawn = np.random.default_rng(5).multinomial(PEOPLE, np.full(PEOPLE, 1 / PEOPLE), 20)
    for times, got in zip(drawn, weighted_auc(distances, matched)(weights), strict=True):
        copies = [times[a] if a == b else times[a] * times[b] for a, b in identities.tolist()]
        wanted = roc_auc_score(np.repeat(matched, copies), -np.repeat(distances, copies))
        assert got == pytest.approx(wanted, abs=1e-12)


def test_weights_of_one_give_the_plain_auc() -> None:
    distances, matched, _ = case()
    got = weighted_auc(distances, matched)(np.ones((1, len(matched))))
    assert got.tolist() == pytest.approx([auc(distances, matched)], abs=1e-12)


def test_a_resample_without_one_kind_gives_one_half() -> None:
    distances, matched, _ = case()
    weights = np.stack([matched, ~matched, np.zeros_like(matched)]).astype(np.float64)
    assert weighted_auc(distances, matched)(weights).tolist() == [0.5, 0.5, 0.5]


def test_every_resample_has_both_kinds_and_the_others_stay_as_they_are() -> None:
    """Of 4 people in two folds, many draws have no mismatched pair."""
    identities = np.array([[0, 0], [0, 1], [2, 2], [2, 3]])
    matched = np.array([True, False, True, False])
    (weights,) = identity_weights(matched, identities, resamples=200, seed=0)
    drawn = np.random.default_rng(0).multinomial(4, np.full(4, 1 / 4), 200)
    plain = drawn[:, identities[:, 0]] * np.where(matched, 1, drawn[:, identities[:, 1]])
    both = plain[:, matched].any(axis=1) & plain[:, ~matched].any(axis=1)
    assert 0 < np.count_nonzero(~both) < 200
    np.testing.assert_array_equal(weights[both], plain[both])
    assert (weights[:, matched].any(axis=1) & weights[:, ~matched].any(axis=1)).all()


def test_resamples_of_one_kind_of_pairs_end() -> None:
    matched, identities = np.ones(3, bool), np.zeros((3, 2), np.int64)
    (weights,) = identity_weights(matched, identities, resamples=5, seed=0)
    assert weights.tolist() == np.ones((5, 3)).tolist()


def test_intervals_of_few_people_are_wider_and_of_very_few_there_is_none() -> None:
    drawn = np.random.default_rng(0).normal(0.7, 0.1, 400)
    assert interval(0.7, drawn, people=20) == tuple(np.percentile(drawn, [2.5, 97.5]))
    low, high = interval(0.7, drawn, people=8)
    assert (low, high) == pytest.approx((0.7 - 0.2365, 0.7 + 0.2365), abs=0.02)  # t of 7: 2.365
    assert interval(0.7, drawn, people=7) is None


def test_ratios_agree_with_copying_the_pairs_and_nothing_of_nothing_is_zero() -> None:
    rng = np.random.default_rng(0)
    part, weights = rng.random(50) < 0.4, rng.integers(0, 4, (6, 50)).astype(np.float64)
    whole = part | (rng.random(50) < 0.5)
    wanted = [np.repeat(part, w).sum() / np.repeat(whole, w).sum() for w in weights.astype(int)]
    assert weighted_ratio(part, whole)(weights) == pytest.approx(wanted)
    assert weighted_ratio(part, whole)(np.zeros((1, 50))).tolist() == [0]


def test_small_blocks_draw_the_same_as_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    distances, matched, identities = case()
    whole = auc_resamples(distances, matched, identities, seed=3)
    monkeypatch.setattr("tripletlab.evaluation.bootstrap.BLOCK", 7 * len(matched) + 1)
    np.testing.assert_array_equal(auc_resamples(distances, matched, identities, seed=3), whole)


def test_labels_need_not_be_consecutive() -> None:
    distances, matched, identities = case()
    same = auc_resamples(distances, matched, identities * 1000 - 7, seed=1)
    np.testing.assert_array_equal(same, auc_resamples(distances, matched, identities, seed=1))


def test_resamples_are_seeded() -> None:
    distances, matched, identities = case()
    one, same, other = (auc_resamples(distances, matched, identities, seed=s) for s in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_two_standard_errors_cover_the_truth_as_often_as_they_should() -> None:
    """Of 120 draws of new people; a bootstrap of pairs, which ignores people, covers far fewer."""
    truth = np.mean([auc(*case(seed=1000 + s)[:2]) for s in range(400)])
    covered, ignoring = 0, 0
    for seed in range(120):
        distances, matched, identities = case(seed=seed)
        off = abs(auc(distances, matched) - truth)
        error = auc_resamples(distances, matched, identities, seed=0, resamples=100).std(ddof=1)
        covered += int(off < 2 * error)
        rng = np.random.default_rng(seed)
        weights = rng.multinomial(len(matched), np.full(len(matched), 1 / len(matched)), 100)
        pairs = weighted_auc(distances, matched)(weights.astype(np.float64)).std(ddof=1)
        ignoring += int(off < 2 * pairs)
    assert 0.90 <= covered / 120 <= 0.995
    assert ignoring < covered - 10
