"""`tripletlab enrol`, or `enroll`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.options import BundleFolder, GalleryFolder, Photos


def enrol(
    name: Annotated[str, typer.Argument(help="Whose photos they are.")],
    photos: Photos,
    bundle: BundleFolder = Path("bundle"),
    gallery: GalleryFolder = Path("gallery"),
) -> None:
    """Add photos of a person to the gallery: all of them, or none where one shows no face."""
    from tripletlab.recognition.photos import enrol

    enrol(name, photos, bundle=bundle, gallery=gallery)
