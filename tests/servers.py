"""The servers that examples/cluster.py starts: real processes on this machine."""

import importlib.util
from pathlib import Path

CLUSTER = Path(__file__).parents[1] / "examples" / "cluster.py"


def cluster_example():
    """examples/cluster.py as a module."""
    spec = importlib.util.spec_from_file_location("cluster", CLUSTER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
