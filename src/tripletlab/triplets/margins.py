"""Margins that change while a network learns (the paper's future work, section IV).

The contract: `schedule(progress, distance=…)` -> the margin of an epoch.

- `progress`: 0 in the first epoch, 1 in the last one.
- `distance`: the mean distance of the validation faces after the epoch before (in the first one:
  by the untrained network).
"""

import math
from typing import Annotated

from pydantic import Field

Margin = Annotated[float, Field(gt=0, le=4)]  # squared distances on the unit sphere end at 4


def constant(progress: float, *, distance: float, margin: Margin) -> float:
    """The paper's margin: the same from the first epoch to the last."""
    return margin


def linear(progress: float, *, distance: float, start: Margin, margin: Margin) -> float:
    """From `start` to `margin`, by the same amount every epoch."""
    return start + (margin - start) * progress


def cosine(progress: float, *, distance: float, start: Margin, margin: Margin) -> float:
    """From `start` to `margin` along half a cosine: slow at both ends."""
    return start + (margin - start) * (1 - math.cos(math.pi * progress)) / 2


def step(
    progress: float,
    *,
    distance: float,
    start: Margin,
    margin: Margin,
    stairs: Annotated[int, Field(ge=2, le=100)],
) -> float:
    """From `start` to `margin` in so many stairs of equal height and length, both ends included."""
    stair = min(int(progress * stairs), stairs - 1)
    return start + (margin - start) * stair / (stairs - 1)


def adaptive(
    progress: float,
    *,
    distance: float,
    share: Annotated[float, Field(gt=0, le=2)],
    least: Margin,
    margin: Margin,
) -> float:
    """A share of the distance that faces have on average by now, from `least` to `margin`.

    An untrained network leaves all faces near one point, where a margin of the usual size makes
    every negative semi-hard; this one grows with the room that the embeddings take.
    """
    return max(min(least, margin), min(share * distance, margin))
