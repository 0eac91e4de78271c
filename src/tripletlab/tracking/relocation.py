"""A tracking folder that was moved or copied: its database is made to name the files beside it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

ARTIFACTS = "artifacts"  # the folder of all files of runs, in the tracking folder
PLACES = (  # where MLflow keeps whole paths
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def recorded_folder(locations: list[str], root: Path) -> Path | None:
    """The tracking folder that experiments name as theirs; None where it is `root`, or none is.

    `locations` are those of their files, the most telling one first.
    """
    folders = [path.parent for one in locations if (path := _local(one)).name == ARTIFACTS]
    return None if not folders or root in folders else folders[0]


def move_paths(database: Path, before: Path, now: Path) -> None:
    """Rewrite every path under the folder `before` to the one under `now`, or none of them."""
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        for table, column in PLACES:
            for old, new in ((before.as_uri(), now.as_uri()), (str(before), str(now))):
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
                    f" WHERE substr({column}, 1, ?) = ?",
                    (f"{new}/", len(old) + 2, len(old) + 1, f"{old}/"),
                )


def _local(location: str) -> Path:
    """The folder of a `file:` URI or of a plain path; another place has none with our name."""
    parts = urlsplit(location)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else Path()
