"""`tripletlab describe`."""

from typing import Annotated

from tripletlab import config
from tripletlab.commands.options import key_value
from tripletlab.errors import InputError


def describe(
    overrides: Annotated[list[str] | None, key_value("architecture=simple_cnn")] = None,
) -> None:
    """Print a network's table: its rows, sizes, parameters and operations."""
    from tripletlab.experiment.description import describe
    from tripletlab.training import backend

    backend.load()
    config.allow_only(overrides or [], ["architecture", "faces", "dtype"], command="describe")
    for one in config.of_nouns(overrides or [], ["faces"]):
        if config.key_of(one) not in ("faces", "faces.size"):
            raise InputError(f"{one}: of faces, tripletlab describe reads faces.size alone")
    describe(config.compose("train", overrides or []))
