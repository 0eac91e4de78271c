"""Which code made a result, and where."""

import functools
import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.system.processor import cores, instructions, processor_name

PACKAGE = Path(__file__).parents[1]
ENVIRONMENT = "environment.json"  # where a result's environment is kept
PACKAGES = (
    *("tripletlab", "keras", "tensorflow", "jax", "jaxlib", "torch", "numpy", "scipy", "h5py"),
    *("opencv-python-headless", "opencv-python", "onnxruntime", "scikit-learn", "umap-learn"),
    *("mlflow", "optuna"),
)
COMPUTING = ("keras", "tensorflow", "jax", "jaxlib", "numpy")  # a run's numbers depend on these
# Settings of the libraries that compute. Nothing else of the environment: it may hold secrets.
VARIABLES = re.compile(
    r"(TF_(ENABLE|DISABLE|DETERMINISTIC|CUDNN|CUBLAS|CUDA|GPU|XLA|NUM|FORCE|USE|CPU|AUTO)\w*"
    r"|(XLA|KERAS|JAX|OMP|KMP|MKL|DNNL|ONEDNN|OPENBLAS|CUDA|CUDNN|CUBLAS|NUMBA|OPENCV)_\w+"
    r"|NVIDIA_TF32_OVERRIDE|PYTHONHASHSEED)"
)
FLAGS = re.compile(r"avx\w*|amx\w*|sse4_\d|fma|asimd\w*|sve\w*|bf16")


def code_fingerprint(own: Sequence[Path] = ()) -> str:
    """12 hex digits over the package's Python files, `own` ones, and the libraries' versions."""
    found = _versions()
    digest = hashlib.sha256(repr([found.get(name) for name in COMPUTING]).encode())
    for path in (*sorted(PACKAGE.rglob("*.py")), *own):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def json_digest(*parts: Any, digits: int = 8) -> str:
    """So many hex digits that identify anything JSON can write; the order of keys has no effect."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


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


def environment() -> dict[str, Any]:
    """What a result can depend on beside code, config and photos, without importing any of it."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": processor_name(),
        "instructions": sorted(filter(FLAGS.fullmatch, instructions())),
        "cores": cores(),
        "packages": _versions(),
        "variables": {
            name: value for name, value in sorted(os.environ.items()) if VARIABLES.fullmatch(name)
        },
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
