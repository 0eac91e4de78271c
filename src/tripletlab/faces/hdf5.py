"""What the HDF5 library may be given: a damaged file can crash it, or keep it busy for ever."""

import math
import os
import signal
from pathlib import Path

import h5py

PATIENCE = 10  # seconds in which the description of a file's content is read


def survives(path: Path) -> bool:
    """Whether the library reads what a file says of its content, tried in a process of its own.

    A loop in a damaged file is endless, and inside the library no signal ends it in this process.
    """
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(PATIENCE)
            with h5py.File(path, "r") as file:
                dict(file.attrs)
                check_layout(file)
        finally:
            os._exit(0)  # what is merely wrong is reported by whoever reads it
    return not os.WIFSIGNALED(os.waitpid(child, 0)[1])


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
