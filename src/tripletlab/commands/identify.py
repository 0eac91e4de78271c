"""`tripletlab identify`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.options import Words, target_and_overrides


def identify(
    words: Words,
    gallery: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The enrolled photos, one per line: name, tab, number."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write the figures and the curves there (default: in evaluations/ of the tracking"
            " folder).",
        ),
    ] = None,
) -> None:
    """Search for faces among enrolled people, one to many: CMC, and TPIR at FPIR."""
    from tripletlab.experiment.identification import identify_people

    target, overrides = target_and_overrides(words)
    identify_people(target, overrides, gallery=gallery, folder=to)
