"""How often strangers are taken for one another at a threshold, as the validation pairs tell."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tripletlab.errors import InputError
from tripletlab.evaluation.operating_points import largest_count

LONGEST = 4.0  # a squared distance between unit embeddings
POINTS = 400  # of the stored curves


class Calibration(BaseModel):
    """Rates at thresholds, and how many pairs they were counted on.

    The `thresholds` rise from 0 to 4 and are dense where the pairs are; `far` is the share of
    mismatched pairs at or below each, `tar` that of matched ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    thresholds: list[float] = Field(min_length=2, max_length=POINTS + 2)
    far: list[float]
    tar: list[float]
    matched: int = Field(ge=1)
    mismatched: int = Field(ge=1)

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

    def tar_at(self, threshold: float) -> float:
        """The true accept rate to expect."""
        return float(np.interp(threshold, self.thresholds, self.tar))

    def threshold_for(self, far: float) -> float:
        """The threshold with this false accept rate, linear between the stored points."""
        return float(np.interp(far, self.far, self.thresholds))


def calibrate(distances: NDArray[np.float64], matched: NDArray[np.bool_]) -> Calibration:
    """Count the pairs at or below each threshold.

    ValueError where a kind of pairs is missing, or a distance is not a number.
    """
    if not np.isfinite(distances).all():
        raise ValueError("distances must be finite")
    same, apart = np.sort(distances[matched]), np.sort(distances[~matched])
    if not (len(same) and len(apart)):
        raise ValueError("matched and mismatched pairs are needed")
    shares = np.linspace(0, 1, POINTS // 2)
    dense = np.concatenate([np.quantile(same, shares), np.quantile(apart, shares)])
    inside = [one for one in np.unique(dense.round(6)) if 0 < one < LONGEST]
    thresholds = np.array([0.0, *inside, LONGEST])

    def share(values: NDArray[np.float64]) -> list[float]:
        below = np.searchsorted(values, thresholds, side="right")
        return [round(float(one), 6) for one in below / len(values)]

    return Calibration(
        thresholds=thresholds.tolist(),
        far=share(apart),
        tar=share(same),
        matched=len(same),
        mismatched=len(apart),
    )


def threshold_at(far: float, distances: NDArray[np.float64], matched: NDArray[np.bool_]) -> float:
    """The highest threshold at which no more than the fraction `far` of strangers is accepted.

    It lies halfway between the last stranger that must stay out and the one before, so that no
    pair sits on it; of equally distant strangers all stay out. InputError where the pairs
    are too few to tell such a rate from 0, ValueError where a distance is not a number.
    """
    if not np.isfinite(distances).all():
        raise ValueError("distances must be finite")
    if not 0 < far < 1:  # not a number, too
        raise InputError(f"--far {far}: a share of strangers lies between 0 and 1")
    apart = np.sort(distances[~matched])
    accepted = largest_count(far, of=len(apart))
    if accepted < len(apart):
        accepted = int(np.searchsorted(apart, apart[accepted]))  # none of a tie
    if not 1 <= accepted < len(apart):
        raise InputError(
            f"--far {far}: {len(apart):,} pairs of strangers tell rates from {1 / len(apart):.2g}"
            " to below 1; give such a one, or prepare with a higher faces.validation_pairs"
        )
    return float((apart[accepted - 1] + apart[accepted]) / 2)
