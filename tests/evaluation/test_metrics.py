"""The table of metrics: what may choose a model, and what a table may show."""

from typing import get_args

import numpy as np
import pytest

from tripletlab.config import Component
from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import (
    METRICS,
    Source,
    check_columns,
    check_objectives,
    describe,
    final_table,
    own_values,
)

TABLE = final_table([])


@pytest.mark.parametrize("name", [one for one, of in METRICS.items() if one.startswith("test/")])
def test_what_the_test_pairs_measure_chooses_nothing(name):
    for direction in ("maximize", "minimize"):
        with pytest.raises(InputError, match=f"{name} is measured on the pairs that test"):
            check_objectives({"val/best_auc": "maximize", name: direction}, TABLE)
    check_columns([name], TABLE)


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
        check_objectives({name: direction}, TABLE)


def test_no_objective_at_all():
    with pytest.raises(InputError, match="at least one of val/best_auc"):
        check_objectives({}, TABLE)


def test_objectives_that_can_be():
    check_objectives({"val/best_auc": "maximize", "cost/flops": "minimize"}, TABLE)
    check_objectives({"val/best_loss": "minimize", "cost/training_seconds": "minimize"}, TABLE)


def test_a_column_is_a_metric_that_a_run_logs():
    check_columns(["test/eer", "test/tar_at_far_0.01", "cost/flops"], TABLE)
    for name, known in (
        ("auc", "test/auc"),
        ("val/accuracy", "test/accuracy"),
        ("trainig_seconds", "cost/training_seconds"),
        ("train/loss", "val/best_loss"),
    ):
        with pytest.raises(InputError, match=rf"{name} is not one of them; did you mean {known}\?"):
            check_columns(["test/eer", name], TABLE)


def test_every_name_begins_with_its_source():
    assert {name.partition("/")[0] for name in METRICS} == set(get_args(Source))


def test_figures_are_printed_as_the_table_says():
    assert METRICS["cost/parameters"].figure(955192.0) == "955,192"
    assert METRICS["test/accuracy"].figure(0.84118) == "0.8412"
    assert describe("val/own").figure(-0.00001) == "0.0000"
    assert describe("val/close_strangers").heading == "validation close strangers"


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_ones_own_metric_is_an_objective_either_way_on_the_validation_pairs_alone(direction):
    own = final_table(["close"])
    check_objectives({"val/close": direction}, own)
    check_columns(["val/close", "test/close"], own)
    with pytest.raises(InputError, match="did you mean val/close"):
        check_columns(["val/clos"], own)
    with pytest.raises(InputError, match="test/close is measured on the pairs that test"):
        check_objectives({"test/close": direction}, own)


@pytest.mark.parametrize("name", ["auc", "eer", "loss", "so close", "a/b"])
def test_ones_own_metric_has_a_name_of_its_own(name):
    with pytest.raises(InputError, match=f"metrics.{name}: "):
        final_table([name])


def closest(distances, matched, *, of):
    return np.sort(distances[matched])[of]


def measured(function, **arguments):
    own = {"closest": Component(function, arguments, False, {})}
    return own_values(own, np.array([0.3, 0.1, 0.2]), np.array([True, False, True]))


def test_ones_own_metric_is_computed_on_the_pairs():
    assert measured(closest, of=0) == {"closest": 0.2}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(closest, {}), (lambda distances, matched: "far", {}), (lambda pairs: 1.0, {})],
)
def test_a_function_that_is_no_metric_is_named(function, arguments):
    with pytest.raises(InputError, match=r"metrics\.closest: "):
        measured(function, **arguments)
