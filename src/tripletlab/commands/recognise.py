"""`tripletlab recognise`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.options import BundleFolder, GalleryFolder, Photos


def recognise(
    photos: Photos,
    bundle: BundleFolder = Path("bundle"),
    gallery: GalleryFolder = Path("gallery"),
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=4,
            help="Squared distance up to which two faces are the same person (the bundle's).",
        ),
    ] = None,
) -> None:
    """Name the people in photos: photo, name or unknown, squared distance, nearest person."""
    from tripletlab.recognition.photos import recognise

    recognise(photos, bundle=bundle, gallery=gallery, threshold=threshold)
