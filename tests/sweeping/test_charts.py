"""A sweep's figures: those that its trials suffice for, and no others."""

import numpy as np
import pytest
from optuna.trial import TrialState

from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.axes import Choice, Range
from tripletlab.sweeping.charts import auc_by_operations, learning_curves, of_study, roc_curves
from tripletlab.sweeping.spaces import Space
from tripletlab.sweeping.storage import open_storage
from tripletlab.sweeping.study import RUN
from tripletlab.sweeping.trial_queue import TrialQueue

MARGIN = {"margin": Choice(values=[0.2, 0.3, 0.4, 0.5])}
MINER = {"miner": Choice(values=["semihard", "hard"])}


RATE = {"optimizer.learning_rate": Choice(values=[0.001, 0.01])}
SAMPLED = {"sampler": {"_target_": "optuna.samplers.RandomSampler", "seed": 0}, "trials": 6}
COMPARED = {"Parallel coordinates", "Parameter importance", "Objective by one parameter"}


@pytest.mark.parametrize(
    ("axes", "sampled", "headings"),
    [
        (MARGIN, {}, {"Objective by one parameter"}),
        (MARGIN, SAMPLED, {"Optimisation history", "Objective by one parameter"}),
        (MARGIN | MINER, {}, COMPARED),
        (MARGIN | RATE, {}, COMPARED | {"Objective by two parameters"}),
    ],
)
def test_figures_that_would_say_nothing_are_left_out(tmp_path, axes, sampled, headings):
    space = Space(name="a", axes=axes, **sampled)
    storage = open_storage(f"sqlite:///{tmp_path / 'optuna.db'}")
    study = TrialQueue.open(storage, name="a", space=space, fresh=False)
    while taken := study.take():
        study.note_trial(taken.number, RUN, f"run {taken.number}")
        study.complete(taken.number, {SCORE: taken.point["margin"]})
    assert of_study(study).keys() == headings


WHEN = {"miner": "semihard"}, {"miner": "hard"}
DISJOINT = {
    "miner": Choice(values=["semihard", "hard"]),
    "margin": Choice(values=[0.2, 0.3], when=WHEN[0]),
    "optimizer.learning_rate": Choice(values=[0.001, 0.01], when=WHEN[1]),
}


@pytest.mark.parametrize(
    "space",
    [
        Space(name="a", ablation=True, axes=MINER | MARGIN),
        Space(name="a", axes=DISJOINT),
        Space(name="a", axes=MINER | {"margin": Choice(values=[0.2, 0.3], when=WHEN[0])}),
    ],
)
@pytest.mark.parametrize("score", [0.7, None])
def test_importance_needs_parameters_of_every_trial_and_different_values(tmp_path, space, score):
    storage = open_storage(f"sqlite:///{tmp_path / 'optuna.db'}")
    study = TrialQueue.open(storage, name="a", space=space, fresh=False)
    while taken := study.take():
        study.note_trial(taken.number, RUN, f"run {taken.number}")
        study.complete(taken.number, {SCORE: score or 0.5 + taken.number / 100})
    assert "Parameter importance" not in of_study(study)


def test_importance_is_of_the_first_objective(tmp_path):
    objectives = {"cost/parameters": "minimize", SCORE: "maximize"}
    space = Space(name="a", axes=MARGIN | MINER, objectives=objectives)
    storage = open_storage(f"sqlite:///{tmp_path / 'optuna.db'}")
    study = TrialQueue.open(storage, name="a", space=space, fresh=False)
    while taken := study.take():
        study.note_trial(taken.number, RUN, f"run {taken.number}")
        study.complete(taken.number, {"cost/parameters": 1.0, SCORE: taken.point["margin"]})
    assert "Parameter importance" not in of_study(study)


def test_the_pareto_front_names_the_objectives_as_the_tables_do(tmp_path):
    objectives = {SCORE: "maximize", "cost/flops": "minimize"}
    space = Space(name="a", axes=MARGIN, objectives=objectives)
    storage = open_storage(f"sqlite:///{tmp_path / 'optuna.db'}")
    study = TrialQueue.open(storage, name="a", space=space, fresh=False)
    while taken := study.take():
        study.note_trial(taken.number, RUN, f"run {taken.number}")
        study.complete(taken.number, {SCORE: taken.point["margin"], "cost/flops": 5.0})
    layout = of_study(study)["Pareto front"].layout
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("validation AUC", "flops")


def test_every_network_is_a_point_with_its_name():
    figure = auc_by_operations({"small": (2e6, 0.7), "large": (9e7, 0.8)})
    (points,) = figure.data
    assert not points.cliponaxis  # names at the edges are not cut off
    low, high = 10 ** np.array(figure.layout.xaxis.range)
    assert low < 1.6
    assert high > 110
    assert list(points.x) == pytest.approx([2, 90])
    assert list(points.y) == [0.7, 0.8]
    assert list(points.text) == ["small", "large"]


def test_the_seeds_of_a_model_share_its_colour_and_its_place_in_the_legend():
    models = {f"{model}, seed {seed}": model for seed in (1, 2) for model in ("soft", "<hard>")}
    curves = {name: [(1, 0.5), (2, 0.6)] for name in models}
    figure = learning_curves(curves, models=models, best="soft, seed 2", ended={"<hard>, seed 2"})
    colours = [trace.line.color for trace in figure.data]
    assert colours[:2] == colours[2:]
    assert colours[0] != colours[1]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    assert [trace.name for trace in figure.data] == ["soft", "<hard>"] * 2
    assert [trace.line.width for trace in figure.data] == [1.5, 1.5, 4, 1.5]
    assert [trace.line.dash for trace in figure.data] == ["solid", "solid", "solid", "dot"]
    assert "<extra>&lt;hard&gt;, seed 2</extra>" in figure.data[3].hovertemplate


def test_of_two_equal_roc_curves_both_are_seen():
    rates = np.array([0, 0.5, 1]), np.array([0, 0.8, 1])
    _, *curves = roc_curves(dict.fromkeys("abcde", rates)).data
    assert len({curve.line.dash for curve in curves}) == 5


def test_trials_keep_their_numbers_where_others_were_pruned(tmp_path):
    space = Space(name="a", axes=MARGIN | MINER, **SAMPLED)
    storage = open_storage(f"sqlite:///{tmp_path / 'optuna.db'}")
    study = TrialQueue.open(storage, name="a", space=space, fresh=False)
    while taken := study.take():
        study.note_trial(taken.number, RUN, f"run {taken.number}")
        if taken.number % 2:
            study.prune(taken.number, "no hope")
        else:
            study.complete(taken.number, {SCORE: taken.point["margin"]})
    figures, done = of_study(study), study.trials(TrialState.COMPLETE)
    shown = list(figures["Optimisation history"].data[0].x)
    assert shown == sorted(trial.number for trial in done)
    assert shown != list(range(len(shown)))
    miners = figures["Objective by one parameter"].data[1].x
    assert set(miners) <= {"semihard", "hard"}  # without quotes


def test_a_short_logarithmic_axis_has_its_ticks_written_out(tmp_path):
    axes = {
        "optimizer.learning_rate": Range(low=1e-4, high=1e-3, log=True),
        "margin": Range(low=0.1, high=0.4),
    }
    space = Space(name="a", axes=axes, **SAMPLED)
    storage = open_storage(f"sqlite:///{tmp_path / 'optuna.db'}")
    study = TrialQueue.open(storage, name="a", space=space, fresh=False)
    while taken := study.take():
        study.note_trial(taken.number, RUN, f"run {taken.number}")
        study.complete(taken.number, {SCORE: taken.point["margin"]})
    axis = of_study(study)["Objective by one parameter"].layout.xaxis2
    assert axis.type == "log"
    assert {0.0002, 0.0005} <= set(axis.tickvals)
