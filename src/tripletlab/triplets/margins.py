"""Margins that change during training (the paper's future work, section IV).

The contract: `schedule(progress, distance=…)` -> the margin of an epoch, a squared distance.

- `progress`: 0 in the first epoch, 1 in the last one; 0 where there is only one.
- `distance`: the mean squared distance of the validation faces after the previous epoch (in the
  first one, by the untrained network).
"""

import math
from typing import Annotated

from pydantic import Field

Margin = Annotated[float, Field(gt=0, le=4)]  # squared distances on the unit sphere are at most 4


def constant(progress: float, *, distance: float, margin: Margin) -> float:
    """The paper's margin, the same in every epoch."""
    return margin


def linear(progress: float, *, distance: float, start: Margin, margin: Margin) -> float:
    """From `start` to `margin` in equal steps."""
    return start + (margin - start) * progress


def cosine(progress: float, *, distance: float, start: Margin, margin: Margin) -> float:
    """From `start` to `margin` along half a cosine, slowly at both ends."""
    return start + (margin - start) * (1 - math.cos(math.pi * progress)) / 2


def step(
    progress: float,
    *,
    distance: float,
    start: Margin,
    margin: Margin,
    stairs: Annotated[int, Field(ge=2, le=100)],
) -> float:
    """From `start` to `margin` in `stairs` levels of equal height and length, including both."""
    stair = min(int(progress * stairs), stairs - 1)
    return start + (margin - start) * (stair / (stairs - 1))


def adaptive(
    progress: float,
    *,
    distance: float,
    share: Annotated[float, Field(gt=0, le=2)],
    least: Margin,
    margin: Margin,
) -> float:
    """A share of the current mean distance, within `least` and `margin`.

    An untrained network maps all faces close to one point, where a usual margin makes every
    negative semi-hard; this one grows as the embeddings move apart. Where `least` exceeds `margin`,
    it is `margin`.
    """
    return max(min(least, margin), min(share * distance, margin))
