"""`tripletlab webcam`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.options import GalleryFolder


def webcam(
    bundle: Annotated[Path, typer.Argument(help="A bundle that `export` wrote.")] = Path("bundle"),
    source: Annotated[
        str,
        typer.Option(
            metavar="SOURCE", help="A camera's number, a video file, or a folder of photos."
        ),
    ] = "0",
    gallery: GalleryFolder = Path("gallery"),
    sound: Annotated[
        bool, typer.Option("--sound", help="Begin with sounds; S in the window switches them.")
    ] = False,
) -> None:
    """Show who is in front of the camera: record people, frame and name every face."""
    from tripletlab.webcam.window import webcam

    webcam(bundle, gallery=gallery, source=source, sound=sound)
