"""Sorting the rows of a matrix: by Keras anywhere, by NumPy where that is faster.

TensorFlow sorts indices by comparing the values that they point to. NumPy sorts numbers with the
processor's vector instructions, in a fifth of the time. Only the code that runs a miner knows
whether its graph can call NumPy; it chooses with `sorting`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray

Sort = Callable[[KerasTensor], tuple[KerasTensor, KerasTensor]]


def by_keras(values: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """Each row of `values` (rows, n) in ascending order, and the columns they came from.

    Of equal values the lower column comes first.
    """
    order = ops.argsort(values, axis=1)
    return ops.take_along_axis(values, order, axis=1), order


def by_numpy(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The same for values of 0 and above, infinity included.

    The bits of such numbers have their order: 64-bit keys of value and column are sorted.
    """
    bits = (values + np.float32(0)).view(np.int32)  # -0 has become 0
    keys = bits.astype(np.int64) << 32 | np.arange(values.shape[1])
    keys.sort(axis=1)
    return (keys >> 32).astype(np.int32).view(np.float32), keys.astype(np.int32)


_chosen: ContextVar[Sort] = ContextVar("sort", default=by_keras)


@contextmanager
def sorting(sort: Sort) -> Iterator[None]:
    """Miners called in the block sort by `sort`."""
    before = _chosen.set(sort)
    try:
        yield
    finally:
        _chosen.reset(before)


def ascending(values: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """Sort the rows of `values` (rows, n), which are at least 0, as `sorting` says."""
    return _chosen.get()(values)
