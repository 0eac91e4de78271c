"""`tripletlab train`."""

from tripletlab import config
from tripletlab.commands.options import Fresh, Overrides, ShowConfig


def train(
    overrides: Overrides = None, fresh: Fresh = False, show_config: ShowConfig = False
) -> None:
    """Train one network, evaluate it, and log the run to MLflow."""
    from tripletlab.experiment.run import run_once

    composed = config.compose("train", overrides or [])
    if show_config:
        return config.show(composed)
    run_once(composed, fresh=fresh)
