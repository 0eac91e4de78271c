"""`tripletlab prepare`."""

from tripletlab import config
from tripletlab.commands.options import Fresh, Overrides, ShowConfig


def prepare(
    overrides: Overrides = None, fresh: Fresh = False, show_config: ShowConfig = False
) -> None:
    """Find the faces in photos, and write them to faces.h5 and pairs.h5."""
    from tripletlab.experiment.data import prepare

    if show_config:
        return config.show("prepare", overrides or [])
    prepare(config.compose("prepare", overrides or []), fresh=fresh)
