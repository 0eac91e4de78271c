"""Paired differences of axes and changes, in simulated sweeps whose truth is known."""

import numpy as np
import pytest

from tests.sweeping.studies import GRID
from tests.sweeping.test_significance import MATCHED, SIDES, sweep
from tripletlab.evaluation.protocol import auc
from tripletlab.sweeping.axes import Choice
from tripletlab.sweeping.contrasts import contrasts_of, effects
from tripletlab.sweeping.significance import resample_aucs
from tripletlab.sweeping.spaces import Space

ABLATION = Space(
    name="parts",
    axes={"miner": Choice(values=["hard"]), "margin": Choice(values=[0.4, 0.8])},
    ablation=True,
    seeds=[1, 2, 3],
)


def effects_of(space, models, seeds=None, points=None):
    points = space.cells() if points is None else points
    aucs = resample_aucs(models, MATCHED, SIDES, resamples=100, seed=0)
    seeds = seeds or [space.seeds or [None]] * len(models)
    return effects(contrasts_of(space, points), aucs, seeds, people=len(np.unique(SIDES)))


def paired_sweep(rng, qualities, *, seeds=3):
    """Models that err on the same pairs, with the same luck of each seed."""
    noise = [rng.normal(0, 1, len(MATCHED)) + 0.3 * rng.normal() * MATCHED for _ in range(seeds)]
    return [
        [
            one + np.where(MATCHED, 1 - quality, 1.0) + 0.02 * rng.normal(size=len(one))
            for one in noise
        ]
        for quality in qualities
    ]


def test_a_grid_compares_the_values_of_each_axis_over_all_other_axes():
    contrasts = contrasts_of(GRID, GRID.cells())
    assert [(one.name, one.pairs) for one in contrasts] == [
        ("miner: semihard − hard", [(0, 2), (1, 3)]),
        ("margin: 0.2 − 0.4", [(0, 1), (2, 3)]),
    ]
    without = [cell for cell in GRID.cells() if cell != {"miner": "hard", "margin": 0.4}]
    assert contrasts_of(GRID, without)[0].pairs == [(0, 2)]  # the other has nothing to pair with


def test_an_axis_that_only_some_points_have_does_not_hinder_the_others():
    margin = {"values": [0.2, 0.4], "when": {"miner": "semihard"}}
    axes = {"miner": {"values": ["semihard", "hard"]}, "margin": margin}
    space = Space.model_validate({"name": "a", "axes": axes})
    assert [one.pairs for one in contrasts_of(space, space.cells())] == [[(0, 2), (1, 2)], [(0, 1)]]


def test_an_ablation_compares_every_change_with_the_recipe():
    assert ABLATION.cells() == [{}, {"miner": "hard"}, {"margin": 0.4}, {"margin": 0.8}]
    assert [ABLATION.title(cell) for cell in ABLATION.cells()][:3] == [
        "recipe",
        "miner=hard",
        "margin=0.4",
    ]
    assert [(one.name, one.pairs) for one in contrasts_of(ABLATION, ABLATION.cells())] == [
        ("miner=hard − recipe", [(1, 0)]),
        ("margin=0.4 − recipe", [(2, 0)]),
        ("margin=0.8 − recipe", [(3, 0)]),
    ]
    assert contrasts_of(ABLATION, ABLATION.cells()[1:]) == []  # the recipe failed


def test_what_matters_is_found_and_its_difference_is_that_of_the_mean_aucs():
    models = paired_sweep(np.random.default_rng(1), [1.0, 0.3, 1.0, 1.5])
    found = effects_of(ABLATION, models)
    assert [one.shown for one in found] == [True, False, True]
    assert [one.auc.value < 0 for one in found][::2] == [True, False]
    aucs = [np.mean([auc(one, MATCHED) for one in seeds]) for seeds in models]
    assert found[0].auc.value == pytest.approx(aucs[1] - aucs[0])
    assert found[0].auc.low < found[0].auc.value < found[0].auc.high < 0


@pytest.mark.parametrize(("seeds", "seed_noise"), [(3, 0.3), (2, 1.0)])
def test_where_nothing_matters_something_is_shown_in_5_of_100_ablations_at_most(seeds, seed_noise):
    rng = np.random.default_rng(2)
    sweeps = [sweep(rng, [1.0] * 4, seeds=seeds, seed_noise=seed_noise) for _ in range(200)]
    found = [effects_of(ABLATION, each, [list(range(seeds))] * 4) for each in sweeps]
    assert sum(any(one.shown for one in effects) for effects in found) <= 10


def test_differences_are_paired_over_seeds():
    """A seed that is good for both models does not widen the interval of their difference."""
    models = paired_sweep(np.random.default_rng(3), [1.0, 1.2, 1.0, 1.0])
    crossed = [models[0], models[1][1:] + models[1][:1], *models[2:]]
    paired, unpaired = (effects_of(ABLATION, each)[0].auc for each in (models, crossed))
    assert paired.high - paired.low < 0.5 * (unpaired.high - unpaired.low)


def test_only_seeds_that_both_have_are_compared():
    models = paired_sweep(np.random.default_rng(4), [1.0, 0.3, 1.0, 1.5])
    seeds = [[1, 2, 3], [2, 3], [3], []]
    some = [models[0], models[1][1:], models[2][2:], models[3][:1]]
    found = effects_of(ABLATION, some, [*seeds[:3], [9]])
    assert [one.seeds for one in found] == [2, 1]  # the last has no seed in common: left out
    value = np.mean(
        [auc(a, MATCHED) - auc(b, MATCHED) for a, b in zip(some[1], models[0][1:], strict=True)]
    )
    assert found[0].auc.value == pytest.approx(value)


def test_p_is_corrected_for_the_number_of_comparisons():
    models = paired_sweep(np.random.default_rng(5), [1.0, 0.9, 1.05, 1.0])
    alone = [
        effects_of(ABLATION, [models[0], models[n]], [[1, 2, 3]] * 2, [{}, ABLATION.cells()[n]])[
            0
        ].p
        for n in (1, 2, 3)
    ]
    together = [one.p for one in effects_of(ABLATION, models)]
    order = np.argsort(alone)
    assert together[order[0]] == pytest.approx(min(1, 3 * alone[order[0]]))
    assert together[order[2]] >= together[order[1]] >= together[order[0]]


def test_two_people_show_no_difference():
    rng = np.random.default_rng(8)
    models = [sweep(rng, [quality])[0] for quality in (0.2, 3.0)]
    space = Space(name="two", axes={"margin": Choice(values=[0.2, 0.4])})
    labels = np.where(MATCHED[:, None], SIDES % 2, [0, 1])
    aucs = resample_aucs(models, MATCHED, labels, resamples=100, seed=0)
    (found,) = effects(contrasts_of(space, space.cells()), aucs, [[None]] * 2, people=2)
    assert (found.p, found.auc.low, found.auc.high) == (1, -1, 1)
    assert not found.shown


def test_equal_models_have_no_difference():
    (model,) = paired_sweep(np.random.default_rng(6), [1.0])
    found = effects_of(ABLATION, [model] * 4)
    assert [(one.auc, one.p) for one in found] == [((0, 0, 0), 1)] * 3
