"""A peer's step in a process of its own: two thread pools in one process hold each other up."""

import importlib.util
import multiprocessing
import os
from multiprocessing.connection import Connection
from typing import Any


class PeerProcess:
    """Takes a step of PyTorch's when it is called, and idles in between."""

    def __init__(self, faces: Any, labels: Any, **settings: Any) -> None:
        """ImportError where PyTorch or pytorch-metric-learning is not installed."""
        for library in ("torch", "pytorch_metric_learning"):
            if importlib.util.find_spec(library) is None:
                raise ImportError(library)
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        work = (theirs, faces, labels, settings)
        self._process = context.Process(target=_serve, args=work, daemon=True)
        self._process.start()
        theirs.close()
        self.parameters: int = self._pipe.recv()

    def __call__(self) -> None:
        """Take a step and wait for it."""
        self._pipe.send(True)
        self._pipe.recv()

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()


def _serve(pipe: Connection, faces: Any, labels: Any, settings: dict[str, Any]) -> None:
    os.environ["OMP_WAIT_POLICY"] = "passive"  # its threads sleep while others have their turn
    import torch_peer

    step = torch_peer.step(faces, labels, **settings)
    pipe.send(torch_peer.parameters(dim=settings["dim"]))
    try:
        while pipe.recv():
            step()
            pipe.send(True)
    except EOFError:
        return
