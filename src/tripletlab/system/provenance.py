"""Which code made a result."""

import functools
import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACKAGE = Path(__file__).parents[1]


def code_fingerprint() -> str:
    """12 hex digits over every Python file of the package."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(str(path.relative_to(PACKAGE)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def fingerprint(weights: Iterable[NDArray[Any]]) -> str:
    """64 hex digits over the arrays of a model: their types, shapes and values, in order."""
    digest = hashlib.sha256()
    for values in map(np.ascontiguousarray, weights):
        digest.update(f"{values.dtype}{values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


@functools.cache  # of the code that this process has loaded
def git_commit() -> str | None:
    """The checkout's commit, marked when files differ from it; None outside a checkout."""
    command = ["git", "-C", str(PACKAGE), "describe", "--always", "--abbrev=40", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
