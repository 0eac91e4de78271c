"""`tripletlab clean`."""

from tripletlab import config
from tripletlab.commands.options import Overrides


def clean(overrides: Overrides = None) -> None:
    """Delete checkpoints that no trial will continue from."""
    from tripletlab.sweeping.status import clean

    config.allow_only(overrides or [], ["studies", "tracking"], command="clean")
    clean(config.compose("sweep", overrides or []))
