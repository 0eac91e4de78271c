"""A sweep's figures: those that its trials suffice for, and no others."""

import pytest

from tripletlab.sweeping.charts import auc_by_operations, of_study
from tripletlab.sweeping.spaces import SCORE, Choice, Space
from tripletlab.sweeping.storage import open_storage
from tripletlab.sweeping.study import RUN
from tripletlab.sweeping.trial_queue import TrialQueue

MARGIN = {"margin": Choice(values=[0.2, 0.3, 0.4, 0.5])}
MINER = {"miner": Choice(values=["semihard", "hard"])}


@pytest.mark.parametrize(
    ("axes", "headings"),
    [
        (MARGIN, {"Optimisation history", "Objective by one parameter"}),
        (
            MARGIN | MINER,
            {
                "Optimisation history",
                "Parallel coordinates",
                "Parameter importance",
                "Objective by one parameter",
                "Objective by two parameters",
            },
        ),
    ],
)
def test_one_parameter_needs_no_comparison_of_parameters(tmp_path, axes, headings):
    storage = open_storage(f"sqlite:///{tmp_path / 'optuna.db'}")
    study = TrialQueue.open(storage, name="a", space=Space(name="a", axes=axes), fresh=False)
    while taken := study.take():
        study.note_trial(taken.number, RUN, f"run {taken.number}")
        study.complete(taken.number, {SCORE: taken.point["margin"]})
    assert of_study(study).keys() == headings


def test_every_network_is_a_point_with_its_name():
    (points,) = auc_by_operations({"small": (2e6, 0.7), "large": (9e7, 0.8)}).data
    assert list(points.x) == pytest.approx([2, 90])
    assert list(points.y) == [0.7, 0.8]
    assert list(points.text) == ["small", "large"]
