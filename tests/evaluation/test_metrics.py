"""The table of metrics: what may choose a model, and what a table may show."""

from typing import get_args

import pytest

from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import (
    METRICS,
    Metric,
    Source,
    check_columns,
    check_objectives,
    describe,
)


@pytest.mark.parametrize("name", [one for one, of in METRICS.items() if one.startswith("test/")])
def test_what_the_test_pairs_measure_chooses_nothing(name):
    for direction in ("maximize", "minimize"):
        with pytest.raises(InputError, match=f"{name} is measured on the pairs that test"):
            check_objectives({"val/best_auc": "maximize", name: direction})
    check_columns([name])


@pytest.mark.parametrize(
    ("name", "direction", "hint"),
    [
        ("val/best_acu", "maximize", "did you mean val/best_auc"),
        ("val/auc", "maximize", "did you mean val/best_auc"),
        ("loss", "minimize", "did you mean val/best_loss"),
        ("train/identities", "maximize", "not one of them"),
        ("cost/flops", "maximize", "cost/flops: write minimize"),
        ("val/best_auc", "minimize", "write maximize"),
    ],
)
def test_an_objective_that_cannot_be(name, direction, hint):
    with pytest.raises(InputError, match=hint):
        check_objectives({name: direction})


def test_no_objective_at_all():
    with pytest.raises(InputError, match="at least one of val/best_auc"):
        check_objectives({})


def test_objectives_that_can_be():
    check_objectives({"val/best_auc": "maximize", "cost/flops": "minimize"})
    check_objectives({"val/best_loss": "minimize", "cost/training_seconds": "minimize"})


def test_a_column_is_a_metric_that_a_run_logs():
    check_columns(["test/eer", "test/tar_at_far_0.01", "cost/flops"])
    for name, known in (
        ("auc", "test/auc"),
        ("val/accuracy", "test/accuracy"),
        ("trainig_seconds", "cost/training_seconds"),
        ("train/loss", "val/best_loss"),
    ):
        with pytest.raises(InputError, match=f"{name} is not one of them; did you mean {known}?"):
            check_columns(["test/eer", name])


def test_every_name_begins_with_its_source():
    assert {name.partition("/")[0] for name in METRICS} == set(get_args(Source))


def test_figures_are_printed_as_the_table_says():
    assert METRICS["cost/parameters"].figure(955192.0) == "955,192"
    assert METRICS["test/accuracy"].figure(0.84118) == "0.8412"
    assert describe("val/close_strangers") == Metric("close strangers")
