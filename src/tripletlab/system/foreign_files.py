"""Arrays and JSON from files that others may have made: read within bounds, nothing unpickled."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError, brief

LARGEST = 1 << 28  # bytes of all arrays together, unpacked
LARGEST_TEXT = 1 << 26  # bytes of a JSON file


def read_arrays(path: Path, *, largest: int = LARGEST) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file by their names; InputError where it holds anything else.

    Its members are measured before one is unpacked: together they have at most `largest` bytes.
    """
    try:
        require_file(path, largest=largest)
        with zipfile.ZipFile(path) as file:
            if sum(member.file_size for member in file.infolist()) > largest:
                raise ValueError(f"more than {largest:,} bytes unpacked")
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored.items())
        if not all(isinstance(one, np.ndarray) for one in arrays.values()):
            raise ValueError("a part of it is no array")
        return arrays
    except Exception as error:  # a damaged archive makes its readers raise nearly anything
        raise InputError(f"{path}: not arrays that can be read ({brief(error)})") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file; InputError where it is none, or has too many bytes."""
    try:
        require_file(path, largest=LARGEST_TEXT)
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON that can be read ({brief(error)})") from error


def require_file(path: Path, *, largest: int) -> None:
    """ValueError unless it is a file of at most `largest` bytes; a pipe would be waited for."""
    if not path.is_file():
        raise ValueError("no such file")
    if path.stat().st_size > largest:
        raise ValueError(f"more than {largest:,} bytes")
