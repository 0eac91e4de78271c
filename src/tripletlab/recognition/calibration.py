"""How often strangers are taken for one another at a threshold, as the validation pairs tell."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tripletlab.errors import InputError

LONGEST = 4.0  # a squared distance between unit embeddings
STEPS = 400  # of the stored curves


class Calibration(BaseModel):
    """Rates at evenly spaced thresholds from 0 to 4, and how many pairs they were counted on.

    `far`, the share of mismatched pairs at or below the threshold; `tar`, that of matched ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    far: list[float] = Field(min_length=STEPS + 1, max_length=STEPS + 1)
    tar: list[float] = Field(min_length=STEPS + 1, max_length=STEPS + 1)
    matched: int = Field(ge=1)
    mismatched: int = Field(ge=1)

    @model_validator(mode="after")
    def _rising(self) -> "Calibration":
        for curve in (self.far, self.tar):
            if not (np.diff([0.0, *curve, 1.0]) >= 0).all():
                raise ValueError("a curve must rise from 0 to 1")
        return self

    def far_at(self, threshold: float) -> float:
        """The false accept rate to expect, linear between the stored points."""
        return self._at(self.far, threshold)

    def tar_at(self, threshold: float) -> float:
        """The true accept rate to expect."""
        return self._at(self.tar, threshold)

    def _at(self, curve: list[float], threshold: float) -> float:
        return float(np.interp(threshold, np.linspace(0, LONGEST, STEPS + 1), curve))


def calibrate(distances: NDArray[np.float64], matched: NDArray[np.bool_]) -> Calibration:
    """The curves of labelled pairs; ValueError without matched or without mismatched ones."""
    same, apart = np.sort(distances[matched]), np.sort(distances[~matched])
    if not len(same) or not len(apart):
        raise ValueError("a calibration needs matched and mismatched pairs")
    thresholds = np.linspace(0, LONGEST, STEPS + 1)

    def share(values: NDArray[np.float64]) -> list[float]:
        below = np.searchsorted(values, thresholds, side="right")
        return [round(float(one), 6) for one in below / len(values)]

    return Calibration(far=share(apart), tar=share(same), matched=len(same), mismatched=len(apart))


def threshold_at(far: float, distances: NDArray[np.float64], matched: NDArray[np.bool_]) -> float:
    """The highest threshold at which no more than the fraction `far` of strangers is accepted.

    It lies halfway between the last stranger that must stay out and the one before, so that no
    pair sits on it. InputError where the pairs are too few to tell such a rate from 0.
    """
    apart = np.sort(distances[~matched])
    accepted = int(far * len(apart))
    if not 1 <= accepted < len(apart):
        raise InputError(
            f"--far {far}: {len(apart):,} pairs of strangers tell rates from {1 / len(apart):.2g}"
            " to below 1; give such a one, or prepare with a higher faces.validation_pairs"
        )
    return float((apart[accepted - 1] + apart[accepted]) / 2)
