"""The lead of one model over another: its two noises, against simulated sweeps."""

import numpy as np
import pytest

from tripletlab.evaluation.bootstrap import resampled, weighted_auc
from tripletlab.evaluation.protocol import auc
from tripletlab.sweeping.significance import Judges

RNG = np.random.default_rng(0)
MATCHED = np.arange(600) % 2 == 0
PEOPLE = RNG.integers(0, 40, (600, 2))
PEOPLE[MATCHED, 1] = PEOPLE[MATCHED, 0]


def distances(quality, rng):
    return rng.normal(np.where(MATCHED, 1 - quality, 1.0), 1.0)


@pytest.fixture(scope="module")
def judges():
    return Judges(MATCHED, PEOPLE, resamples=400, seed=0)


def test_without_seeds_it_is_the_paired_bootstrap(judges):
    """Signed, the scatter of the difference, and surer than two separate errors."""
    one, rng = distances(1.0, RNG), np.random.default_rng(1)
    worse = one + 0.15 * rng.normal(size=len(one))
    statistics = [weighted_auc(each, MATCHED) for each in (one, worse)]
    drawn = resampled(statistics, MATCHED, PEOPLE, resamples=400, seed=0)
    lead, back = judges.lead([one], [worse]), judges.lead([worse], [one])
    assert lead.difference == pytest.approx(auc(one, MATCHED) - auc(worse, MATCHED))
    assert lead.standard_error == pytest.approx((drawn[0] - drawn[1]).std(ddof=1))
    assert back == pytest.approx((-lead.difference, lead.standard_error))
    errors = [judges.error([each]) for each in (one, worse)]
    assert errors == pytest.approx(drawn.std(axis=1, ddof=1))
    assert 0 < lead.standard_error < 0.5 * np.hypot(*errors)


def test_a_model_does_not_lead_itself(judges):
    one = distances(1.0, RNG)
    assert judges.lead([one], [one]) == (0, 0)


def test_seeds_that_scatter_make_the_lead_uncertain(judges):
    steady = [distances(1.0, np.random.default_rng(1))] * 3
    wild = [distances(q, np.random.default_rng(1)) for q in (0.5, 1.0, 1.5)]
    other = [distances(0.9, np.random.default_rng(1))] * 3
    assert judges.lead(wild, other).standard_error > 2 * judges.lead(steady, other).standard_error
