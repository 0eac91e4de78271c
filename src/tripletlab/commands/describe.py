"""`tripletlab describe`."""

from tripletlab import config
from tripletlab.commands.options import Overrides


def describe(overrides: Overrides = None) -> None:
    """Print a network's table: its rows, sizes, parameters and operations."""
    from tripletlab.experiment.description import describe
    from tripletlab.training import backend

    backend.load()
    config.allow_only(overrides or [], ["architecture", "faces", "dtype"], command="describe")
    describe(config.compose("train", overrides or []))
