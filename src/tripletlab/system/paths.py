"""Paths as users give them."""

import os
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """The path with a `~` at its beginning replaced by the home folder.

    That of a user who is unknown stays as it is, so that the path is named as one that is not
    there: `Path.expanduser` would raise RuntimeError.
    """
    return Path(os.path.expanduser(path))
