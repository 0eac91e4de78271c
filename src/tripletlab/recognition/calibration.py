"""The error rates to expect at each threshold, counted on pairs of people not trained on."""

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tripletlab.errors import InputError
from tripletlab.evaluation.operating_points import RULE_OF_30, largest_count

LONGEST = 4.0  # a squared distance between unit embeddings
FEW_PEOPLE = 10  # with fewer, rates vary much from one group of people to the next
POINTS = 400  # of the stored curves, beside both ends and the threshold in use


class Calibration(BaseModel):
    """Accept rates at thresholds, and the number of pairs and people they were counted on.

    The `thresholds` (squared distances) rise from 0 to 4 and are dense where the pairs are; `far`
    is the share of mismatched pairs at or below each, `tar` that of matched ones, 0 to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    thresholds: list[float] = Field(min_length=2, max_length=POINTS + 3)
    far: list[float]
    tar: list[float]
    matched: int = Field(ge=1)
    mismatched: int = Field(ge=1)
    people: int | None = Field(default=None, ge=2)  # None: not recorded, in older bundles

    @model_validator(mode="after")
    def _rising(self) -> "Calibration":
        if (self.thresholds[0], self.thresholds[-1]) != (0.0, LONGEST):
            raise ValueError("the thresholds must go from 0 to 4")
        if not (np.diff(self.thresholds) > 0).all():
            raise ValueError("the thresholds must rise")
        for curve in (self.far, self.tar):
            rises = (np.diff([0.0, *curve, 1.0]) >= 0).all()
            if not rises or len(curve) != len(self.thresholds):
                raise ValueError("a curve must rise from 0 to 1, with a point for every threshold")
        return self

    def far_at(self, threshold: float) -> float:
        """The false accept rate to expect, linear between the stored points."""
        return float(np.interp(threshold, self.thresholds, self.far))

    def most_far_at(self, threshold: float) -> float | None:
        """The 95 % bound of a false accept rate of which no pair was counted, 3 / n; else None."""
        counted = self.far_at(threshold) * self.mismatched
        return None if counted > 0.9 else min(1.0, 3 / self.mismatched)  # the curves are rounded

    def doubt(self, threshold: float) -> str:
        """Why the false accept rate at a threshold is uncertain; empty where it is not."""
        few_people = self.people is not None and self.people < FEW_PEOPLE
        few_accepts = round(self.far_at(threshold) * self.mismatched) < RULE_OF_30
        few = [f"{self.people} people"] * few_people
        few += [f"fewer than {RULE_OF_30} false accepts"] * few_accepts
        if not few:
            return ""
        return f"counted on only {' and '.join(few)}; among other people it may be much higher"

    def tar_at(self, threshold: float) -> float:
        """The true accept rate to expect, linear between the stored points."""
        return float(np.interp(threshold, self.thresholds, self.tar))

    def threshold_for(self, far: float) -> float:
        """The threshold with this false accept rate, linear between the stored points."""
        return float(np.interp(far, self.far, self.thresholds))

    def threshold_accepting(self, tar: float) -> float:
        """The threshold with this true accept rate, linear between the stored points."""
        return float(np.interp(tar, self.tar, self.thresholds))

    def balanced(self) -> float:
        """The threshold at which as many strangers are accepted as own photos are rejected."""
        excess = np.add(self.far, self.tar) - 1  # from -1 to 1, rising
        return float(np.interp(0.0, excess, self.thresholds))


def calibrate(
    distances: NDArray[np.float64],
    matched: NDArray[np.bool_],
    *,
    threshold: float | None = None,
    people: int | None = None,
) -> Calibration:
    """Count the pairs at or below each threshold; `distances` and `matched` are (pairs,).

    `people` is the number of those in the pairs. At `threshold` the stored rates are exact: between
    two stored points they are only nearly so.

    ValueError without matched or without mismatched pairs, or for a distance that is not finite.
    """
    if not np.isfinite(distances).all():
        raise ValueError("distances must be finite")
    same, different = np.sort(distances[matched]), np.sort(distances[~matched])
    if not (len(same) and len(different)):
        raise ValueError("matched and mismatched pairs are needed")
    shares = np.linspace(0, 1, POINTS // 2)
    dense = np.concatenate([np.quantile(same, shares), np.quantile(different, shares)])
    inside = [one for one in np.unique(dense.round(6)) if 0 < one < LONGEST]
    thresholds = np.unique([0.0, *inside, *([] if threshold is None else [threshold]), LONGEST])

    def share(values: NDArray[np.float64]) -> list[float]:
        below = np.searchsorted(values, thresholds, side="right")
        return [round(float(one), 6) for one in below / len(values)]

    return Calibration(
        thresholds=thresholds.tolist(),
        far=share(different),
        tar=share(same),
        matched=len(same),
        mismatched=len(different),
        people=people,
    )


def threshold_at(
    far: float,
    distances: NDArray[np.float64],
    matched: NDArray[np.bool_],
    *,
    most_pairs: int | None = None,
) -> float:
    """The highest threshold that accepts at most the fraction `far` of mismatched pairs.

    It lies halfway between the last accepted distance and the first rejected one, so that no pair
    lies on it; equal distances are rejected together. InputError where there are too few pairs for
    such a rate; it names faces.validation_pairs only where that is `most_pairs`, and as many were
    drawn. ValueError for a distance that is not finite.
    """
    if not np.isfinite(distances).all():
        raise ValueError("distances must be finite")
    if not 0 < far < 1:  # also for NaN
        raise InputError(f"--far {far}: a share of strangers lies between 0 and 1")
    different = np.sort(distances[~matched])
    accepted = largest_count(far, of=len(different))
    if accepted < len(different):
        accepted = int(np.searchsorted(different, different[accepted]))  # no tie is split
    if not 1 <= accepted < len(different):
        raise _too_few_pairs(far, different, limited=len(different) == most_pairs)
    return float((different[accepted - 1] + different[accepted]) / 2)


def _too_few_pairs(far: float, different: NDArray[np.float64], *, limited: bool) -> InputError:
    """What helps where the sorted distances of strangers have no threshold for this rate."""
    smallest = int(np.searchsorted(different, different[0], side="right")) / len(different)
    least = _rounded_up(smallest)
    more = "a higher faces.validation_pairs" if limited else "more people or more photos of each"
    given = f"give --far {least:g}, or " if least < 1 else ""
    return InputError(
        f"--far {far}: {len(different):,} pairs of strangers resolve rates from {least:g} to below"
        f" 1; {given}prepare with {more} and train again"
    )


def _rounded_up(share: float) -> float:
    """The next larger number of two digits: 0.018 for 1/56."""
    scale = 10.0 ** (1 - math.floor(math.log10(share)))
    return math.ceil(share * scale - 1e-9) / scale
