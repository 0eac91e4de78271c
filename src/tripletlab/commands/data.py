"""`tripletlab data verify` and `data rejected`."""

from typing import Annotated

import typer

from tripletlab import config
from tripletlab.commands.help import Command, Group
from tripletlab.commands.options import key_value

app = typer.Typer(name="data", cls=Group, help="Inspect prepared faces.", no_args_is_help=True)


@app.command(cls=Command)
def verify(overrides: Annotated[list[str], key_value("data=elsewhere")]) -> None:
    """Check every faces.h5 and pairs.h5 against the checksums that were written with it."""
    from tripletlab.faces.inspection import verify

    config.allow_only(overrides, ["data"], command="data verify")
    verify(config.compose("prepare", overrides).data)


@app.command(cls=Command)
def rejected(overrides: Annotated[list[str], key_value("data=elsewhere")]) -> None:
    """Print every photo that did not get into a faces.h5, and why."""
    from tripletlab.faces.inspection import print_rejected

    config.allow_only(overrides, ["data"], command="data rejected")
    print_rejected(config.compose("prepare", overrides).data)
