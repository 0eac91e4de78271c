"""`tripletlab export`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab import config
from tripletlab.errors import InputError


def export(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TARGET] FOLDER [KEY=VALUE]",
            help="TARGET: a run id, a version such as MODEL/3, or the champion (if none is given).",
        ),
    ],
    far: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of strangers that the threshold may accept (default: 0.01; with --update,"
            " that of the existing bundle).",
        ),
    ] = None,
    keras: Annotated[bool, typer.Option("--keras", help="Add embedder.keras.")] = False,
    savedmodel: Annotated[bool, typer.Option("--savedmodel", help="Add a SavedModel.")] = False,
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="Replace an existing bundle only if its network or FAR is another."
        ),
    ] = False,
    litert: Annotated[bool, typer.Option("--litert", help="Add embedder.tflite.")] = False,
) -> None:
    """Write a trained network as a bundle, which needs no TensorFlow."""
    from tripletlab.experiment.export import export
    from tripletlab.recognition.bundle_folder import KERAS, LITERT, SAVEDMODEL

    names, overrides = config.split_words(words)
    if not 1 <= len(names) <= 2 or names == ["champion"]:
        raise InputError("write tripletlab export [TARGET] FOLDER")
    target, folder = names if len(names) == 2 else ("champion", names[0])
    config.allow_only(overrides, ["data", "tracking"], command="export")
    formats = {KERAS: keras, SAVEDMODEL: savedmodel, LITERT: litert}
    export(
        config.compose("evaluate", overrides),
        target,
        Path(folder),
        far=far,
        formats=[name for name, wanted in formats.items() if wanted],
        update=update,
    )
