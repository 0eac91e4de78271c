"""`tripletlab train`."""

from typing import Annotated

import typer

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


def train(
    overrides: Annotated[list[str], key_value("miner=hard, margin=0.4")],
    photos: Folders = None,
    cropped: CroppedFolders = None,
    lfw: LfwFolder = None,
    show_config: ShowConfig = False,
    fresh: Fresh = False,
    register: Annotated[
        bool,
        typer.Option(
            "--register",
            help="Register the network. It becomes champion unless another one trained on these"
            " faces has the same or a higher validation AUC.",
        ),
    ] = False,
) -> None:
    """Train one network, evaluate it, and log the run to MLflow."""
    from tripletlab.training import backend

    backend.load(training=not show_config)
    words = with_photos(overrides, photos, cropped, lfw)
    if show_config:
        from tripletlab.experiment.components import check_triplets

        return config.show("train", words, check=check_triplets)
    from tripletlab.experiment import run

    run.train(config.compose("train", words), fresh=fresh, register=register)
