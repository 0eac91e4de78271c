"""`tripletlab suspects`."""

from typing import Annotated

import typer

from tripletlab.commands.options import Words, target_and_overrides


def suspects(
    words: Words,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="List at most this share of the faces.")
    ] = 0.01,
) -> None:
    """List photos that, according to a trained network, may be in the wrong person's folder."""
    from tripletlab.experiment.suspects import suspects

    target, overrides = target_and_overrides(words)
    suspects(target, overrides, share=share)
