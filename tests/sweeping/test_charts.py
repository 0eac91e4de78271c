"""A sweep's figures: those that its trials suffice for, and no others."""

import pytest

from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.axes import Choice
from tripletlab.sweeping.charts import auc_by_operations, of_study
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


def test_every_network_is_a_point_with_its_name():
    (points,) = auc_by_operations({"small": (2e6, 0.7), "large": (9e7, 0.8)}).data
    assert list(points.x) == pytest.approx([2, 90])
    assert list(points.y) == [0.7, 0.8]
    assert list(points.text) == ["small", "large"]
