"""`tripletlab train`."""

from tripletlab import config
from tripletlab.commands.options import Overrides, ShowConfig


def train(overrides: Overrides = None, show_config: ShowConfig = False) -> None:
    """Train one network, evaluate it, and log the run to MLflow."""
    from tripletlab.training import backend

    backend.load()
    if show_config:
        return config.show("train", overrides or [])
    from tripletlab.experiment.run import train_alone

    train_alone(config.compose("train", overrides or []))
