"""`tripletlab compare`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab import config
from tripletlab.commands.options import NETWORK


def compare(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGET TARGET... [KEY=VALUE]",
            help=f"TARGET: {NETWORK}, a bundle folder, embeddings in FILE.npy, or a folder"
            " that `evaluate` wrote.",
        ),
    ],
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="Write tables and figures there.")
    ] = Path("comparison"),
) -> None:
    """Compare models on the same pairs: which differences are real, and where they differ."""
    from tripletlab.experiment.comparison import compare_models

    targets, overrides = config.split_words(words)
    config.allow_only(overrides, ["data", "tracking"], command="compare")
    compare_models(targets, config.compose("evaluate", overrides), folder=to)
