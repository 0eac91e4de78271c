"""The table of metrics: what may choose a model, and what a table may show."""

import pytest

from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import METRICS, check_columns, check_objectives


@pytest.mark.parametrize("name", [one for one, of in METRICS.items() if of.source == "test"])
def test_what_the_test_pairs_measure_chooses_nothing(name):
    for direction in ("maximize", "minimize"):
        with pytest.raises(InputError, match=f"{name} is measured on the pairs that test"):
            check_objectives({"best_validation_auc": "maximize", name: direction})
    check_columns([name])


@pytest.mark.parametrize(
    ("name", "direction", "hint"),
    [
        ("best_validation_acu", "maximize", "did you mean best_validation_auc"),
        ("loss", "minimize", "loss is not one of them"),
        ("training_identities", "maximize", "not one of them"),
        ("flops", "maximize", "flops: write minimize"),
        ("best_validation_auc", "minimize", "write maximize"),
    ],
)
def test_an_objective_that_cannot_be(name, direction, hint):
    with pytest.raises(InputError, match=hint):
        check_objectives({name: direction})


def test_no_objective_at_all():
    with pytest.raises(InputError, match="at least one of best_validation_auc"):
        check_objectives({})


def test_objectives_that_can_be():
    check_objectives({"best_validation_auc": "maximize", "flops": "minimize"})
    check_objectives({"best_validation_loss": "minimize", "training_seconds": "minimize"})


def test_a_column_is_a_metric_that_a_run_logs():
    check_columns(["eer", "tar_at_far_0.01", "flops"])
    with pytest.raises(InputError, match="did you mean training_seconds"):
        check_columns(["eer", "trainig_seconds"])
