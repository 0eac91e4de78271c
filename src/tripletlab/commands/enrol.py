"""`tripletlab enrol`, or `enroll`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.options import BundleFolder, GalleryFolder, Photos


def enrol(
    name: Annotated[str, typer.Argument(help="The name of the person in the photos.")],
    photos: Photos,
    bundle: BundleFolder = Path("bundle"),
    gallery: GalleryFolder = Path("gallery"),
) -> None:
    """Add photos of a person to the gallery: all, or none if one shows no face or several."""
    from tripletlab.recognition.photos import enrol

    enrol(name, photos, bundle=bundle, gallery=gallery)
