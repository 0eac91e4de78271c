"""`tripletlab prepare`."""

from typing import Annotated

from tripletlab import config
from tripletlab.commands.options import (
    CroppedFolders,
    Folders,
    Fresh,
    LfwFolder,
    ShowConfig,
    key_value,
    with_photos,
)


def prepare(
    overrides: Annotated[list[str], key_value("faces=aligned, faces.size=64")],
    photos: Folders = None,
    cropped: CroppedFolders = None,
    lfw: LfwFolder = None,
    fresh: Fresh = False,
    show_config: ShowConfig = False,
) -> None:
    """Find the faces in photos, and write them to faces.h5 and pairs.h5."""
    from tripletlab.experiment.data import prepare

    words = with_photos(overrides, photos, cropped, lfw)
    if show_config:
        return config.show("prepare", words)
    prepare(config.compose("prepare", words), fresh=fresh)
