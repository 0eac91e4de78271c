"""`tripletlab fetch`."""

from enum import StrEnum
from typing import Annotated

import typer

from tripletlab.faces.yunet_file import ADDRESS
from tripletlab.system.progress import say


class Fetched(StrEnum):
    """What can be fetched."""

    YUNET = "yunet"


def fetch(
    what: Annotated[Fetched, typer.Argument(help="yunet: the network that faces=yunet needs.")],
    address: Annotated[
        str, typer.Option("--from", metavar="ADDRESS", help="Where the file is, http or https.")
    ] = ADDRESS,
) -> None:
    """Download the network of a face detector into your cache, and check it."""
    from tripletlab.faces.yunet_file import fetch

    say(f"{fetch(address)}: checked; faces=yunet will find it")
