"""`tripletlab ui`."""

from typing import Annotated

import typer

from tripletlab import config
from tripletlab.commands.options import key_value


def ui(
    overrides: Annotated[list[str], key_value("tracking.folder=elsewhere")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 5000,
    host: Annotated[
        str, typer.Option(help="The interface; 0.0.0.0 means all. There is no password.")
    ] = "127.0.0.1",
) -> None:
    """Show runs, figures and models in the browser (MLflow)."""
    from tripletlab.tracking import Tracker

    config.allow_only(overrides, ["tracking"], command="ui")
    tracker: Tracker = config.compose("evaluate", overrides).tracking.build()
    tracker.open_existing()
    tracker.serve_pages(host=host, port=port)
