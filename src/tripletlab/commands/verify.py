"""`tripletlab verify`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.options import BundleFolder, Threshold


def verify(
    first: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo of a person.")],
    second: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo of the same, or not?")],
    bundle: BundleFolder = Path("bundle"),
    threshold: Threshold = None,
) -> None:
    """Tell whether two photos show one person: the distance, the threshold, and its FAR."""
    from tripletlab.recognition.photos import print_verified

    print_verified(first, second, bundle=bundle, threshold=threshold)
