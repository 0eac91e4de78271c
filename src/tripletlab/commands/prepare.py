"""`tripletlab prepare`."""

from tripletlab import config
from tripletlab.commands.options import Fresh, Overrides, ShowConfig


def prepare(
    overrides: Overrides = None, fresh: Fresh = False, show_config: ShowConfig = False
) -> None:
    """Find the faces in photos, and write them to faces.h5 and pairs.h5."""
    from tripletlab.experiment.data import prepare

    composed = config.compose_checked("prepare", overrides or [])
    if show_config:
        return config.show(composed)
    prepare(composed.config, fresh=fresh)
