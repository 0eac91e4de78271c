"""Work in a separate process: a peer's, set up as its users have it, or ours on another backend.

Two thread pools in one process would slow each other down, and tripletlab changes how a process
keeps its memory.
"""

import importlib
import importlib.util
import multiprocessing
import os
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

SLEEPING = {"OMP_WAIT_POLICY": "passive"}  # its threads sleep while others have their turn


class OtherProcess:
    """Works when it is called, and idles in between.

    The work is what a function of a module returns for the settings; the process has the variables
    of the environment.
    """

    def __init__(
        self, module: str, function: str, environment: Mapping[str, str], **settings: Any
    ) -> None:
        self._module = module
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        work = (theirs, module, function, dict(environment), settings)
        self._process = context.Process(target=_serve, args=work, daemon=True)
        self._process.start()
        theirs.close()

    def __call__(self) -> None:
        """Work, and wait for it; ChildProcessError if the process has died."""
        try:
            self._pipe.send(True)
            self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            raise ChildProcessError(f"{self._module} died, exit code {code}") from None

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()


def pytorch(function: str, **settings: Any) -> OtherProcess:
    """A function of torch_peer; ImportError where what it needs is not installed."""
    for library in ("torch", "pytorch_metric_learning"):
        if importlib.util.find_spec(library) is None:
            raise ImportError(library)
    return OtherProcess("torch_peer", function, SLEEPING, **settings)


def _serve(
    pipe: Connection,
    module: str,
    function: str,
    environment: dict[str, str],
    settings: dict[str, Any],
) -> None:
    os.environ.update(environment)
    work = getattr(importlib.import_module(module), function)(**settings)
    try:
        while pipe.recv():
            work()
            pipe.send(True)
    except EOFError:
        return
