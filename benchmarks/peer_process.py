"""A peer's work in a process of its own, as its users have it.

Two thread pools in one process hold each other up, and tripletlab sets how a process keeps memory.
"""

import importlib.util
import multiprocessing
import os
from multiprocessing.connection import Connection
from typing import Any


class PeerProcess:
    """Works when it is called, and idles in between.

    The work is what a function of torch_peer returns when it is given the arguments.
    """

    def __init__(self, function: str, *arguments: Any, **settings: Any) -> None:
        """ImportError where PyTorch or pytorch-metric-learning is not installed."""
        for library in ("torch", "pytorch_metric_learning"):
            if importlib.util.find_spec(library) is None:
                raise ImportError(library)
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        work = (theirs, function, arguments, settings)
        self._process = context.Process(target=_serve, args=work, daemon=True)
        self._process.start()
        theirs.close()

    def __call__(self) -> None:
        """Work, and wait for it."""
        self._pipe.send(True)
        self._pipe.recv()

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()


def _serve(
    pipe: Connection, function: str, arguments: tuple[Any, ...], settings: dict[str, Any]
) -> None:
    os.environ["OMP_WAIT_POLICY"] = "passive"  # its threads sleep while others have their turn
    import torch_peer

    work = getattr(torch_peer, function)(*arguments, **settings)
    try:
        while pipe.recv():
            work()
            pipe.send(True)
    except EOFError:
        return
