"""Is the winner better than the next by more than noise, of the pairs and of the seeds?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.bootstrap import Identities, resampled, weighted_auc
from tripletlab.evaluation.protocol import Distances, Flags, auc

Draws = NDArray[np.float64]  # (resamples,)


class Lead(NamedTuple):
    """How much higher one model's AUC is than another's, on the same pairs."""

    difference: float
    standard_error: float


class Judges:
    """The validation pairs, drawn again and again; every model is judged by the same draws.

    Two noises are told apart: which people happen to be in the validation pairs (a bootstrap over
    identities, paired) and which seed a model was trained with (the variance of its seeds' AUCs).
    """

    def __init__(
        self, matched: Flags, identities: Identities, *, resamples: int, seed: int
    ) -> None:
        self.matched, self.identities = matched, identities
        self.draws = {"resamples": resamples, "seed": seed}
        self.people = len(np.unique(identities))

    def error(self, seeds: Sequence[Distances]) -> float:
        """The standard error of a model's AUC, the mean of those that its seeds reach."""
        (drawn,) = self._drawn(seeds)
        return float(np.sqrt(drawn.var(ddof=1) + self._of_seeds(seeds)))

    def lead(self, best: Sequence[Distances], second: Sequence[Distances]) -> Lead:
        """How much higher the first model's mean AUC is, and the standard error of that."""
        one, other = self._drawn(best, second)
        of_pairs = (one - other).var(ddof=1)
        of_seeds = self._of_seeds(best) + self._of_seeds(second)
        difference = np.mean(self._aucs(best)) - np.mean(self._aucs(second))
        return Lead(float(difference), float(np.sqrt(of_pairs + of_seeds)))

    def _aucs(self, seeds: Sequence[Distances]) -> list[float]:
        return [auc(distances, self.matched) for distances in seeds]

    def _drawn(self, *models: Sequence[Distances]) -> list[Draws]:
        """For each model the mean AUC of its seeds in every resample, the same for all models."""
        statistics = [weighted_auc(one, self.matched) for seeds in models for one in seeds]
        drawn = resampled(statistics, self.matched, self.identities, **self.draws)
        ends = np.cumsum([len(seeds) for seeds in models])[:-1]
        return [part.mean(axis=0) for part in np.split(drawn, ends)]

    def _of_seeds(self, seeds: Sequence[Distances]) -> float:
        """The variance of a mean over seeds; nothing is known of it from one alone."""
        return float(np.var(self._aucs(seeds), ddof=1)) / len(seeds) if len(seeds) > 1 else 0.0
