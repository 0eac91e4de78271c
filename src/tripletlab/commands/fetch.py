"""`tripletlab fetch`."""

from typing import Annotated, Literal

import typer

from tripletlab.faces.yunet_file import ADDRESS
from tripletlab.system.progress import say


def fetch(
    what: Annotated[
        Literal["yunet"], typer.Argument(help="yunet: the network that faces=yunet needs.")
    ],
    address: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="ADDRESS",
            help="The address of the file (http or https).",
            show_default="OpenCV Zoo",
        ),
    ] = ADDRESS,
) -> None:
    """Download the network of a face detector into your cache, and check it."""
    from tripletlab.faces.yunet_file import fetch

    say(f"{fetch(address)}: checked; faces=yunet will find it")
