"""Names of folders and databases under which nothing could be kept, or found again."""

from collections.abc import Mapping
from typing import Any

from tripletlab.errors import InputError

SQLITE = "sqlite:///"
NEVER_EMPTY = ("data", "tracking.folder", "tracking.experiment", "tracking.uri", "studies")
IN_NO_PATH = "?#%"  # have a meaning of their own in the address of a database


def check_places(leaves: Mapping[str, Any]) -> None:
    """InputError for an empty name, or a character that the address of a database cannot hold."""
    for key in NEVER_EMPTY:
        value = leaves.get(key)
        if not isinstance(value, str):
            continue
        if value.strip() in ("", SQLITE):
            raise InputError(f"{key}={value}: it should not be empty")
        if value.startswith(SQLITE):
            folder, _, name = value.removeprefix(SQLITE).rpartition("/")
            path = f"{folder}/{name.partition('?')[0]}"  # options may follow the name
            for mark in IN_NO_PATH:
                if mark in path:
                    raise InputError(
                        f"{key}={value}: the path of an SQLite file cannot have {mark} in it"
                    )
