"""`tripletlab serve`."""

from typing import Annotated

from tripletlab import config
from tripletlab.commands.options import Host, Port, optional_words


def serve(
    words: Annotated[
        list[str],
        optional_words(
            "[MODEL/VERSION] [KEY=VALUE]",
            "A bundle that `export` registered (default: the newest).",
        ),
    ],
    port: Port = 5077,
    host: Host = "127.0.0.1",
) -> None:
    """Answer requests over HTTP: photos in, faces and embeddings out (MLflow)."""
    from tripletlab.tracking import Tracker

    name, overrides = config.one_name(words, what="model")
    config.allow_only(overrides, ["tracking"], command="serve")
    tracker: Tracker = config.compose("evaluate", overrides).tracking.build()
    tracker.open_existing()
    tracker.bundles.serve(tracker.bundles.find(name), host=host, port=port)
