"""Which model is the best, in simulated sweeps whose truth is known."""

import numpy as np
import pytest
from scipy.stats import t

from tripletlab.evaluation.protocol import auc
from tripletlab.sweeping.significance import estimate, rank, resample_aucs

RNG = np.random.default_rng(0)
PAIRS, PEOPLE = 200, 30
MATCHED = np.arange(PAIRS) % 2 == 0
SIDES = RNG.integers(0, PEOPLE, (PAIRS, 2))
SIDES[MATCHED, 1] = SIDES[MATCHED, 0]


def compared(models):
    aucs = resample_aucs(models, MATCHED, SIDES, resamples=100, seed=0)
    return rank(aucs, people=len(np.unique(SIDES)))


def sweep(rng, qualities, *, seeds=1, seed_noise=0.0, people_noise=0.5):
    """Distances of each model's seeds: people are hard or easy, for each model otherwise."""

    def model(quality):
        hard = people_noise * rng.normal(size=PEOPLE)[SIDES].mean(axis=1)
        gaps = quality + seed_noise * rng.normal(size=seeds)
        return [hard + rng.normal(np.where(MATCHED, 1 - gap, 1.0), 1.0) for gap in gaps]

    return [model(quality) for quality in qualities]


@pytest.mark.parametrize(
    ("models", "seeds", "seed_noise"), [(2, 1, 0.0), (6, 1, 0.0), (4, 3, 0.5), (2, 2, 1.0)]
)
def test_of_equal_models_none_wins_in_95_of_100_sweeps(models, seeds, seed_noise):
    rng = np.random.default_rng(1)
    sweeps = [sweep(rng, [1.0] * models, seeds=seeds, seed_noise=seed_noise) for _ in range(200)]
    found = [compared(one) for one in sweeps]
    assert sum(one.wins for one in found) <= 0.05 * len(found)
    assert len({one.best for one in found}) == models  # by chance now one, now another


@pytest.mark.parametrize("people", [2, 7])
def test_fewer_than_eight_people_show_nothing(people):
    rng = np.random.default_rng(10)
    one = rng.integers(0, people, PAIRS)
    other = (one + rng.integers(1, people, PAIRS)) % people
    labels = np.stack([one, np.where(MATCHED, one, other)], axis=1)
    models = [[rng.normal(np.where(MATCHED, 1 - quality, 1.0))] for quality in (1.0, 1.2, 3.0)]
    found = rank(resample_aucs(models, MATCHED, labels, resamples=100, seed=0), people=people)
    assert (found.best, found.contenders) == (2, [0, 1])
    assert not found.above_chance
    assert found.auc[1:] == (0, 1)
    assert {lead[1:] for lead in found.leads.values()} == {(-1, 1)}


def test_of_models_at_chance_none_wins_and_hardly_one_is_above_chance():
    rng = np.random.default_rng(2)
    found = [compared(sweep(rng, [0.0] * 5)) for _ in range(100)]
    assert sum(one.above_chance for one in found) <= 5
    assert not any(one.wins for one in found)


def test_the_truly_best_is_among_the_contenders():
    rng = np.random.default_rng(3)
    found = [compared(sweep(rng, [1.0, 1.2, 1.1, 0.4])) for _ in range(100)]
    assert sum(1 in (one.best, *one.contenders) for one in found) >= 95
    assert sum(3 in one.contenders for one in found) < 50


def test_a_better_model_wins():
    rng = np.random.default_rng(4)
    found = [compared(sweep(rng, [0.5, 3.0, 0.5])) for _ in range(20)]
    assert all(one.wins and one.best == 1 for one in found)


def test_a_lead_is_paired():
    """Two models that err on the same pairs have a narrower interval than two that do not."""
    rng = np.random.default_rng(5)
    one, other = (distances for (distances,) in sweep(rng, [1.0, 1.0]))
    alike = compared([[one], [one + 0.05 * rng.normal(size=PAIRS)]])
    unlike = compared([[one], [other]])
    widths = [found.leads[1 - found.best] for found in (alike, unlike)]
    assert widths[0].high - widths[0].low < 0.5 * (widths[1].high - widths[1].low)


def test_models_of_the_same_auc_are_equals():
    rng = np.random.default_rng(6)
    ((one,), (other,)) = sweep(rng, [3.0, 0.1])
    found = compared([[one], [other], [one]])
    assert (found.best, found.equals) == (0, [2])
    assert 2 in found.contenders
    assert not found.wins
    assert found.leads[2] == (0, 0, 0)
    assert found.leads[1].value == pytest.approx(auc(one, MATCHED) - auc(other, MATCHED))


def test_seeds_that_scatter_widen_the_interval_and_few_of_them_more_so():
    rng = np.random.default_rng(7)
    steady = [sweep(rng, [1.0])[0][0]] * 3
    wild = [sweep(rng, [quality])[0][0] for quality in (0.2, 1.0, 1.8)]
    widths = [compared([seeds, steady]).leads for seeds in (steady, wild, wild * 3)]
    steady, few, many = (max(one.high - one.low for one in leads.values()) for leads in widths)
    assert few > many > steady


def test_where_a_model_has_one_seed_none_wins_in_about_95_of_100_sweeps():
    rng = np.random.default_rng(9)
    sweeps = [sweep(rng, [1.0] * 2, seeds=3, seed_noise=1.0) for _ in range(200)]
    # 10 are to be expected; without a variance for the one seed, 21 are found
    assert sum(compared([some[:1], all_]).wins for some, all_ in sweeps) <= 15


def test_one_source_of_variance_has_students_interval():
    found, p = estimate(0.3, [(0.01, 7), (0.0, 2)], tests=2)
    assert found.high - 0.3 == pytest.approx(0.1 * t.ppf(1 - 0.025 / 2, 7))
    assert p == pytest.approx(2 * t.sf(3, 7))


def test_p_is_that_of_the_interval_which_ends_at_0():
    parts = [(0.01, 50), (0.02, 1)]
    _, p = estimate(0.3, parts)
    reach = np.sqrt(sum(variance * t.isf(p / 2, freedom) ** 2 for variance, freedom in parts))
    assert reach == pytest.approx(0.3)
    assert estimate(0.0, parts)[1] == 1
    assert estimate(1e9, parts)[1] < 1e-6


def test_one_model_alone_is_compared_with_chance():
    found = compared(sweep(np.random.default_rng(8), [3.0]))
    assert found.wins
    assert found.leads == {}
    assert 0.5 < found.auc.low < found.auc.value < found.auc.high


def test_an_auc_has_an_interval_between_0_and_1():
    rng = np.random.default_rng(8)
    intervals = [compared(sweep(rng, [4.5, 4.4], people_noise=2.0)).auc for _ in range(20)]
    assert all(0 <= one.low <= one.value <= one.high <= 1 for one in intervals)
    assert any(one.high == 1 for one in intervals)
