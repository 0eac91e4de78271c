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
        bool,
        typer.Option("--sound", help="Start with sounds on; the key S switches them on and off."),
    ] = False,
) -> None:
    """Open a window that frames and names every face at the camera, and records people."""
    from tripletlab.webcam.window import webcam

    webcam(bundle, gallery=gallery, source=source, sound=sound)
