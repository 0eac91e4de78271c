"""`tripletlab ui`."""

from typing import Annotated

from tripletlab import config
from tripletlab.commands.options import Host, Port, key_value


def ui(
    overrides: Annotated[list[str], key_value("tracking.folder=elsewhere")],
    port: Port = 5000,
    host: Host = "127.0.0.1",
) -> None:
    """Show runs, figures and models in the browser (MLflow)."""
    from tripletlab.tracking import Tracker

    config.allow_only(overrides, ["tracking"], command="ui")
    tracker: Tracker = config.compose("evaluate", overrides).tracking.build()
    tracker.open_existing()
    tracker.serve_pages(host=host, port=port)
