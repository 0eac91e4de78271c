"""The servers that examples/cluster.py starts: real processes on this machine."""

import contextlib
import importlib.util
import shutil
import tempfile
from pathlib import Path

CLUSTER = Path(__file__).parents[1] / "examples" / "cluster.py"


@contextlib.contextmanager
def open_folder():
    """A folder that the user postgres may enter, which pytest's are closed to."""
    folder = Path(tempfile.mkdtemp(prefix="open-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def cluster_example():
    """examples/cluster.py as a module."""
    spec = importlib.util.spec_from_file_location("cluster", CLUSTER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
