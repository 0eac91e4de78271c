"""distances.npz, which every run and evaluation has: squared distances of its pairs."""

from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.evaluation.protocol import Distances
from tripletlab.system.foreign_files import read_arrays


def read_distances(path: Path, pairs: str, *, count: int | None = None) -> Distances:
    """The distances (pairs,) of the `verification` or `validation` pairs.

    InputError where the file is damaged, or has none, or not `count` of them.
    """
    values = read_arrays(path).get(pairs)
    if values is None or values.ndim != 1 or values.dtype.kind != "f" or not len(values):
        raise InputError(f"{path}: no distances of the {pairs} pairs in it")
    if count not in (None, len(values)):
        raise InputError(f"{path}: {len(values):,} distances for {count:,} {pairs} pairs")
    return values
