"""`tripletlab recognise`, or `recognize`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.options import AsJson, BundleFolder, GalleryFolder, Photos, Threshold


def recognise(
    photos: Photos,
    bundle: BundleFolder = Path("bundle"),
    gallery: GalleryFolder = Path("gallery"),
    threshold: Threshold = None,
    as_json: AsJson = False,
    draw: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="Write the photo with its faces framed and named: to a file such as out.jpg for"
            " one photo, to a folder for several.",
        ),
    ] = None,
) -> None:
    """Name the people in photos.

    Each face has a line with the photo, the name or `unknown`, the squared distance and the nearest
    person. For a photo without a face, or one that is missing or unreadable, a line says so. The
    exit code is 2 if photos were missing or unreadable (all others are finished first), else 0.
    """
    from tripletlab.recognition.photo_batch import recognise

    recognise(
        photos, bundle=bundle, gallery=gallery, threshold=threshold, as_json=as_json, draw=draw
    )
