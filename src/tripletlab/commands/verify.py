"""`tripletlab verify`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.options import AsJson, BundleFolder, Threshold


def verify(
    first: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo of a person.")],
    second: Annotated[
        Path, typer.Argument(metavar="PHOTO", help="A second photo, to compare with the first.")
    ],
    bundle: BundleFolder = Path("bundle"),
    threshold: Threshold = None,
    as_json: AsJson = False,
) -> None:
    """Say whether two photos show one person, with the distance, the threshold and its FAR.

    The exit code is 0 for either result, and 2 if a photo is missing, cannot be read or shows no
    face.
    """
    from tripletlab.recognition.photos import print_verified

    print_verified(first, second, bundle=bundle, threshold=threshold, as_json=as_json)
