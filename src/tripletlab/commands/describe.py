"""`tripletlab describe`."""

from typing import Annotated

from tripletlab.commands.options import key_value


def describe(
    overrides: Annotated[list[str], key_value("architecture=simple_cnn")],
) -> None:
    """Print a network's table: its rows, sizes, parameters and operations."""
    from tripletlab.experiment.description import describe
    from tripletlab.training import backend

    backend.load()
    describe(overrides)
