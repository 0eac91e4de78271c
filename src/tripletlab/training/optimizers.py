"""Optimisers, with the ranges that Keras does not check."""

from typing import Annotated

import keras
from pydantic import Field


def adam(*, learning_rate: Annotated[float, Field(gt=0, le=1)]) -> keras.Optimizer:
    """Keras' Adam with its other settings as they come."""
    return keras.optimizers.Adam(learning_rate)
