"""Whether the content of a store can be what was written, before anything trusts it."""

from typing import Any

from numpy.typing import NDArray

from tripletlab.photos.pairs import Pairs


def require(*true: bool) -> None:
    """ValueError where something does not hold between the parts of a store."""
    if not all(true):
        raise ValueError("its parts do not fit together")


def within(values: NDArray[Any], count: int, *, below: int) -> bool:
    """The values are `count` whole numbers from 0 to `below` - 1."""
    whole = values.shape == (count,) and values.dtype.kind in "iu"
    return whole and bool(((values >= 0) & (values < below)).all())


def are_pairs(pairs: Pairs, faces: int) -> bool:
    """Every pair is of two of the faces, marked as matched or not, in a fold."""
    count = len(pairs)
    rows = within(pairs.first, count, below=faces) and within(pairs.second, count, below=faces)
    marked = pairs.matched.shape == (count,) and pairs.matched.dtype == bool
    return rows and marked and within(pairs.fold, count, below=max(count, 1))
