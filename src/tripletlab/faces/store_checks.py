"""Whether the content of a store can be what was written, before anything trusts it."""

import math
from typing import Any

import h5py
from numpy.typing import NDArray

from tripletlab.photos.pairs import Pairs


def check_layout(file: h5py.File) -> None:
    """ValueError where a part is a link or is not wholly in the file, such as a vast shape."""

    links: dict[str, object] = {}
    file.visititems_links(lambda name, link: links.update({name: link}))
    for name, link in links.items():
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{name} is a link")
        node = file[name]
        if isinstance(node, h5py.Dataset):
            # A shape is trusted only where the file holds as many bytes.
            stored, wanted = node.id.get_storage_size(), math.prod(node.shape) * node.dtype.itemsize
            offset = node.id.get_offset() if node.chunks is None else None
            there = offset is not None and offset + stored <= file.id.get_filesize()
            if node.is_virtual or node.external or stored < wanted or (wanted and not there):
                raise ValueError(f"{name} is not stored in one piece")


def hold(*true: bool) -> None:
    """ValueError where something does not hold between the parts of a store."""
    if not all(true):
        raise ValueError("its parts do not fit together")


def within(values: NDArray[Any], count: int, *, below: int) -> bool:
    """The values are `count` whole numbers from 0 to `below` - 1."""
    whole = values.shape == (count,) and values.dtype.kind in "iu"
    return whole and bool(((values >= 0) & (values < below)).all())


def are_pairs(pairs: Pairs, faces: int) -> bool:
    """Every pair is of two of the faces, marked as matched or not, in a fold."""
    count = len(pairs.first)
    rows = within(pairs.first, count, below=faces) and within(pairs.second, count, below=faces)
    marked = pairs.matched.shape == (count,) and pairs.matched.dtype == bool
    return rows and marked and within(pairs.fold, count, below=max(count, 1))
