"""`tripletlab clean`."""

from typing import Annotated

from tripletlab import config
from tripletlab.commands.options import key_value


def clean(
    overrides: Annotated[list[str], key_value("tracking.folder=elsewhere")],
) -> None:
    """Delete checkpoints that no trial will continue from."""
    from tripletlab.sweeping.status import clean

    clean(config.compose_studies(overrides, command="clean"))
