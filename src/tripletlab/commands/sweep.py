"""`tripletlab sweep`, and `sweep list`, `status` and `best` on sweeps that have run."""

from typing import Annotated

import typer

from tripletlab.commands.options import (
    CroppedFolders,
    Folders,
    Fresh,
    LfwFolder,
    optional_words,
    with_photos,
)
from tripletlab.errors import InputError


def sweep(
    words: Annotated[
        list[str],
        optional_words(
            "[SPACE] [KEY=VALUE]",
            "SPACE: a file, or one of those below. KEY=VALUE changes the space"
            " (axes.margin=[0.1,0.3] trials=20 seeds=[1,2,3]) or the config. Instead of a space,"
            " `list` shows every sweep, `status [SPACE]` the trials of a sweep, and `best [SPACE]`"
            " its best run.",
        ),
    ],
    photos: Folders = None,
    cropped: CroppedFolders = None,
    lfw: LfwFolder = None,
    fresh: Fresh = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the trials, and exit.")] = False,
) -> None:
    """Train every point of a search space, compare them in a table, and promote the best."""
    from tripletlab.sweeping import status

    match words:
        case ["list" | "status" | "best", *_] if any((photos, cropped, lfw, fresh, dry_run)):
            raise InputError("past sweeps are shown as they are: leave out the options")
        case ["list", *overrides]:
            status.list_sweeps(overrides)
        case ["status", *names]:
            status.status(names)
        case ["best", *names]:
            status.best(names)
        case names:
            from tripletlab.sweeping.sweep import sweep

            sweep(with_photos(names, photos, cropped, lfw), fresh=fresh, dry_run=dry_run)
