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
            help="Write the photo with its faces framed and named: a file such as out.jpg for one"
            " photo, a folder for several.",
        ),
    ] = None,
) -> None:
    """Name the people in photos: photo, name or unknown, squared distance, nearest person.

    A photo without a face, or one that is missing or unreadable, has a line that says so. The exit
    code is 0, or, once all photos are done, 2 if some were missing or unreadable.
    """
    from tripletlab.recognition.photo_batch import recognise

    recognise(
        photos, bundle=bundle, gallery=gallery, threshold=threshold, as_json=as_json, draw=draw
    )
