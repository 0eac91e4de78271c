"""A sweep's figures: those that its trials suffice for, and no others."""

import pytest

from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.charts import auc_by_operations, of_study
from tripletlab.sweeping.spaces import Choice, Space
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


def test_every_network_is_a_point_with_its_name():
    (points,) = auc_by_operations({"small": (2e6, 0.7), "large": (9e7, 0.8)}).data
    assert list(points.x) == pytest.approx([2, 90])
    assert list(points.y) == [0.7, 0.8]
    assert list(points.text) == ["small", "large"]
