"""`tripletlab evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.options import Words, target_and_overrides
from tripletlab.errors import InputError


def evaluate(
    words: Words,
    faces: Annotated[
        bool,
        typer.Option(
            "--faces", help="Only print the set's faces, in the order of the rows in FILE.npy."
        ),
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write the card and the figures there (default: in evaluations/ of the tracking"
            " folder).",
        ),
    ] = None,
) -> None:
    """Evaluate a trained network, or embeddings from elsewhere, on any pairs."""
    from tripletlab.experiment.target_evaluation import evaluate, print_faces

    target, overrides = target_and_overrides(words)
    if faces and to:
        raise InputError("--faces only prints the faces: leave out --to")
    if faces:
        return print_faces(target if target in words else None, overrides)
    evaluate(target, overrides, folder=to)
