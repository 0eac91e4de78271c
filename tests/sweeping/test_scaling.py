"""The power law of the AUC, with laws that are known."""

import numpy as np
import pytest

from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.axes import Choice
from tripletlab.sweeping.scaling import curves_of, fit_power_law, scaling_table
from tripletlab.sweeping.spaces import Space
from tripletlab.sweeping.table import ModelRow

SIZES = [40, 80, 160, 320, 640]


def runs(rng, *, scatter, draws=3):
    """Of the law 1 - AUC = 0.5 n^-0.3."""
    return [
        (n, 1 - 0.5 * n**-0.3 * np.exp(scatter * rng.normal())) for n in SIZES for _ in range(draws)
    ]


def test_a_law_without_scatter_is_found_exactly():
    law = fit_power_law(runs(np.random.default_rng(0), scatter=0))
    assert law.scale == pytest.approx(0.5)
    assert law.exponent == pytest.approx((0.3, 0.3, 0.3))
    assert law.predict(7754) == pytest.approx([1 - 0.5 * 7754**-0.3] * 3)


def test_the_fit_is_that_of_scipy():
    from scipy.stats import linregress

    given = runs(np.random.default_rng(1), scatter=0.2)
    law = fit_power_law(given)
    identities, aucs = np.array(given).T
    fit = linregress(np.log(identities), np.log(1 - aucs))
    assert law.scale == pytest.approx(np.exp(fit.intercept))
    assert law.exponent.value == pytest.approx(-fit.slope)
    assert law.exponent.high - law.exponent.value == pytest.approx(2.1604 * fit.stderr, rel=1e-4)


def test_intervals_hold_the_truth_in_95_of_100_fits():
    rng = np.random.default_rng(2)
    exponents, predictions = 0, 0
    for _ in range(400):
        law = fit_power_law(runs(rng, scatter=0.15, draws=2))
        exponents += law.exponent.low <= 0.3 <= law.exponent.high
        one_more = 1 - 0.5 * 7754**-0.3 * np.exp(0.15 * rng.normal())
        interval = law.predict(7754)
        predictions += interval.low <= one_more <= interval.high
    assert 0.92 <= exponents / 400 <= 0.98
    assert 0.92 <= predictions / 400 <= 0.98


@pytest.mark.parametrize(
    "given",
    [
        [],
        [(40, 0.8), (80, 0.9)],
        [(40, 0.8), (80, 0.9), (80, 0.91)],
        [(1, 0.8), (2, 0.9), (3, 1.0)],
    ],
)
def test_too_few_sizes_or_a_perfect_auc_have_no_curve(given):
    assert fit_power_law(given) is None


def row(point, n, *aucs):
    metrics = tuple({"train/identities": n, SCORE: one, "test/auc": one - 0.1} for one in aucs)
    return ModelRow(str(n), point, ("run",) * len(aucs), metrics)


def test_a_space_has_a_curve_for_each_metric_and_each_value_of_its_other_axes():
    axes = {"batches.identities": Choice(values=[40, 80, None]), "miner": Choice(values=["a", "b"])}
    space = Space(name="s", axes=axes, seeds=[1, 2], predict=[500, 7754])
    rows = [
        row({"batches.identities": given, "miner": miner}, n, auc, auc + 0.01)
        for given, n, auc in ((40, 40, 0.8), (80, 80, 0.85), (None, 180, 0.9))
        for miner in ("a", "b")
    ]
    curves = curves_of(space, rows)
    metrics = "validation AUC", "AUC of the test pairs"
    names = [f"{miner}, {metric}" for miner in "ab" for metric in metrics]
    assert [one.name for one in curves] == names
    assert curves[0].runs[-1] == (180, 0.91)  # all identities: those that were counted
    table = scaling_table(curves, space.predict)
    assert list(table.heading) == ["curve", "exponent", "AUC at 500", "AUC at 7,754"]
    auc = float(table.rows[0][2].split()[0])
    assert auc == pytest.approx(curves[0].law.predict(500).value, abs=5e-4)
    assert curves_of(space, rows[:4]) == []  # two sizes
    assert curves_of(Space(name="s", axes={"miner": axes["miner"]}), rows) == []
