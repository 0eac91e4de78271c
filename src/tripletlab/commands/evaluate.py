"""`tripletlab evaluate`."""

from typing import Annotated

import typer

from tripletlab import config
from tripletlab.commands.options import OutputFolder, Words, target_and_overrides


def evaluate(
    words: Words = None,
    faces: Annotated[
        bool,
        typer.Option(
            "--faces", help="Only print the set's faces, in the order of the rows in FILE.npy."
        ),
    ] = False,
    to: OutputFolder = None,
) -> None:
    """Evaluate a trained network, or embeddings from elsewhere, on any pairs."""
    from tripletlab.experiment.target_evaluation import evaluate, print_faces

    target, overrides = target_and_overrides(words)
    if faces:
        return print_faces(config.compose("evaluate", overrides))
    evaluate(target, overrides, folder=to)
