"""Folders for what libraries compile and look up once, where the home folder cannot hold them."""

import os
import tempfile
from pathlib import Path

VARIABLES = {"NUMBA_CACHE_DIR": "numba", "MPLCONFIGDIR": "matplotlib"}


def provide_caches() -> None:
    """Point Numba and Matplotlib at the temp folder where no home folder can be written.

    Without a folder of either kind UMAP fails with "no locator available", and Matplotlib warns at
    every start. What the user has set stays.
    """
    if _writable(_home()):
        return
    folder = Path(tempfile.gettempdir()) / f"tripletlab-cache-{os.getuid()}"
    for variable, name in VARIABLES.items():
        os.environ.setdefault(variable, str(folder / name))


def user_cache() -> Path:
    """The folder of the user's own that downloaded files are kept in; it may not exist yet."""
    return _home() / "tripletlab"


def _home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))


def _writable(folder: Path) -> bool:
    """The folder can be written, or made."""
    if not folder.is_absolute():  # `~` without a home
        return False
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return there.is_dir() and os.access(there, os.W_OK)
