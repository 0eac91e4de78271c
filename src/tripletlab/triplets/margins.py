"""Margins as functions of the progress of a run, from 0 (first step) to 1 (last step)."""

from typing import Annotated

from pydantic import Field

Margin = Annotated[float, Field(gt=0, le=4)]  # squared distances on the unit sphere end at 4


def constant(progress: float, *, margin: Margin) -> float:
    """The paper's margin: the same from the first step to the last."""
    return margin
