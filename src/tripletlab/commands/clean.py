"""`tripletlab clean`."""

from tripletlab import config
from tripletlab.commands.options import Overrides


def clean(overrides: Overrides = None) -> None:
    """Delete checkpoints that no trial will continue from."""
    from tripletlab.sweeping.status import clean

    clean(config.compose_studies(overrides or [], command="clean"))
