"""`tripletlab suspects`."""

from typing import Annotated

import typer

from tripletlab.commands.options import target, target_and_overrides


def suspects(
    words: Annotated[list[str], target("champion, NAME@champion, NAME/version or a run id")],
    share: Annotated[
        float, typer.Option(min=0, max=1, help="List at most this share of the faces.")
    ] = 0.01,
) -> None:
    """List photos that, according to a trained network, may be in the wrong person's folder."""
    from tripletlab.experiment.suspects import suspects

    which, overrides = target_and_overrides(words)
    suspects(which, overrides, share=share)
