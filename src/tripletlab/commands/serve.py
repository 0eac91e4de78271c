"""`tripletlab serve`."""

from typing import Annotated

import typer

from tripletlab import config
from tripletlab.commands.options import optional_words


def serve(
    words: Annotated[
        list[str],
        optional_words(
            "[MODEL/VERSION] [KEY=VALUE]",
            "A bundle that `export` registered (default: the newest).",
        ),
    ],
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 5077,
    host: Annotated[
        str, typer.Option(help="The interface; 0.0.0.0 means all. There is no password.")
    ] = "127.0.0.1",
) -> None:
    """Answer requests over HTTP: photos in, faces and embeddings out (MLflow)."""
    from tripletlab.tracking import Tracker

    name, overrides = config.one_name(words, what="model")
    config.allow_only(overrides, ["tracking"], command="serve")
    tracker: Tracker = config.compose("evaluate", overrides).tracking.build()
    tracker.open_existing()
    tracker.bundles.serve(tracker.bundles.find(name), host=host, port=port)
