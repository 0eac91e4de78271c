"""Samplers and pruners: what Optuna would refuse only during the sweep is refused before it."""

import pytest

from tripletlab.errors import InputError
from tripletlab.sweeping.axes import Range
from tripletlab.sweeping.samplers import make_pruner, try_out
from tripletlab.sweeping.spaces import Space

TPE, CMAES = "optuna.samplers.TPESampler", "optuna.samplers.CmaEsSampler"
AXES = {"margin": Range(low=0.1, high=0.6), "optimizer.learning_rate": Range(low=1e-4, high=1e-2)}


def space(sampler, *, trials=40, pruner=None):
    return Space(name="s", axes=AXES, sampler=sampler, trials=trials, pruner=pruner)


@pytest.mark.parametrize(
    "sampler",
    [
        {"_target_": TPE, "n_ei_candidates": -4},
        {"_target_": TPE, "n_ei_candidates": 2.5},
        {"_target_": TPE, "n_startup_trials": "ten"},
        {"_target_": TPE, "n_startup_trials": 39, "n_ei_candidates": -4},
        {"_target_": TPE, "gamma": 3},
        {"_target_": CMAES, "popsize": -2},
        {"_target_": CMAES, "x0": {"margin": 0.2}},
        {"_target_": TPE, "seed": -1},
    ],
)
def test_arguments_that_a_sampler_cannot_use_are_refused(sampler):
    with pytest.raises(InputError, match=r"sampler: optuna\.samplers\..* refuses these") as refused:
        try_out(space(sampler))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["GridSampler", "BruteForceSampler"])
def test_samplers_that_would_end_optunas_own_loop_are_refused(name):
    with pytest.raises(InputError, match=f"optuna.samplers.{name}"):
        try_out(space({"_target_": f"optuna.samplers.{name}", "seed": 0}))


def test_arguments_that_a_pruner_cannot_use_are_refused():
    pruner = {"_target_": "optuna.pruners.HyperbandPruner", "bootstrap_count": -1}
    with pytest.raises(InputError, match=r"pruner: .*HyperbandPruner refuses these"):
        try_out(space({"_target_": TPE}, pruner=pruner))


@pytest.mark.parametrize("trials", [1, 2, 1000])
def test_usable_arguments_pass(trials):
    pruner = {"_target_": "optuna.pruners.HyperbandPruner"}
    try_out(space({"_target_": TPE, "seed": 1, "multivariate": True}, trials=trials, pruner=pruner))
    try_out(space({"_target_": CMAES, "seed": 1}, trials=trials))


@pytest.mark.parametrize(
    "pruner",
    [
        {"_target_": "optuna.pruners.NopPruner", "_partial_": True},
        {
            "_target_": "optuna.pruners.PatientPruner",
            "wrapped_pruner": {"_target_": "optuna.pruners.NopPruner", "_partial_": True},
            "patience": 1,
        },
    ],
)
def test_a_pruner_that_would_be_bound_and_not_built_is_refused(pruner):
    with pytest.raises(InputError, match="leave _partial_ out"):
        make_pruner(space({"_target_": TPE}, pruner=pruner))
