"""AUC by the number of training identities: a power law, fitted to the runs of a sweep."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tripletlab.evaluation.metrics import SCORE
from tripletlab.evaluation.numbers import decimal
from tripletlab.plots.page import PageTable
from tripletlab.sweeping.significance import CONFIDENCE, Interval
from tripletlab.sweeping.spaces import FEWEST, IDENTITIES, Space
from tripletlab.sweeping.table import ModelRow

COUNTED = "train/identities"  # the metric: what a run has learned from
METRICS = {SCORE: "validation AUC", "test/auc": "AUC of the test pairs"}


class PowerLaw(NamedTuple):
    """1 - AUC = scale * identities ** -exponent, by least squares in logarithms of both."""

    scale: float
    exponent: Interval  # 95 %
    scatter: float  # standard deviation of a run's log error around the line
    runs: int
    centre: float  # mean log of the identities
    spread: float  # sum of squared deviations from it

    def predict(self, identities: float) -> Interval:
        """The AUC of one more run at so many identities, with its 95 % prediction interval.

        It holds where the power law does: the interval does not know whether the curve bends.
        """
        place = np.log(identities)
        error = np.log(self.scale) - self.exponent.value * place
        share = 1 + 1 / self.runs + (place - self.centre) ** 2 / self.spread
        reach = _quantile(self.runs - 2) * self.scatter * share**0.5
        auc, low, high = (float(1 - np.exp(error + way)) for way in (0.0, reach, -reach))
        return Interval(auc, max(low, 0.0), high)


class ScalingCurve(NamedTuple):
    """Runs (identities, AUC) that differ in the identities and the seed alone, and their law."""

    name: str  # the metric, after the values of the other axes
    runs: list[tuple[float, float]]
    law: PowerLaw


def fit_power_law(runs: Sequence[tuple[float, float]]) -> PowerLaw | None:
    """Fit the law to runs (identities, AUC).

    None where they have fewer than three different numbers of identities, or an AUC of 1.
    """
    identities, aucs = np.asarray(runs, np.float64).reshape(-1, 2).T
    if len(set(identities)) < FEWEST or aucs.max() >= 1:
        return None
    x, y = np.log(identities), np.log(1 - aucs)
    centre, spread = float(x.mean()), float(((x - x.mean()) ** 2).sum())
    slope = float(((x - centre) * y).sum()) / spread
    start = float(y.mean()) - slope * centre
    scatter = float((((y - start - slope * x) ** 2).sum() / (len(x) - 2)) ** 0.5)
    reach = _quantile(len(x) - 2) * scatter / spread**0.5
    exponent = Interval(-slope, -slope - reach, -slope + reach)
    return PowerLaw(float(np.exp(start)), exponent, scatter, len(x), centre, spread)


def curves_of(space: Space, rows: Sequence[ModelRow]) -> list[ScalingCurve]:
    """A curve for each metric and for each combination of the other axes' values.

    None where the number of identities is no axis of a grid, or has too few values.
    """
    if IDENTITIES not in space.axes or space.sampler or space.ablation:
        return []
    groups: dict[str, list[ModelRow]] = {}
    for row in rows:
        rest = {key: value for key, value in row.point.items() if key != IDENTITIES}
        groups.setdefault(space.title(rest), []).append(row)
    curves = []
    for name, group in groups.items():
        for metric, of in METRICS.items():
            runs = [(one[COUNTED], one[metric]) for row in group for one in row.metrics]
            if law := fit_power_law(runs):
                curves.append(ScalingCurve(", ".join(filter(None, (name, of))), runs, law))
    return curves


def scaling_table(curves: Sequence[ScalingCurve], predict: Sequence[int]) -> PageTable:
    """The exponent of each curve, and the AUC that it predicts for so many identities."""
    lines = [
        [
            curve.name,
            _text(curve.law.exponent, digits=2),
            *(_text(curve.law.predict(number), digits=3) for number in predict),
        ]
        for curve in curves
    ]
    note = (
        "1 − AUC = scale · identities^−exponent, fitted to all runs in logarithms; in brackets 95 %"
        " intervals, of a prediction for one more run, if the law holds there."
    )
    heading = ["curve", "exponent", *(f"AUC at {number:,}" for number in predict)]
    return PageTable("AUC by training identities", heading, lines, note, figures=True)


def _text(interval: Interval, *, digits: int) -> str:
    value, low, high = (decimal(one, digits=digits) for one in interval)
    return f"{value} ({low} to {high})"


def _quantile(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, freedom))
