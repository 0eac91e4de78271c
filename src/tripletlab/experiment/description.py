"""`tripletlab describe`: a network's table, as the paper's Table I shows it."""

from rich.console import Console
from rich.table import Table as Shown

from tripletlab.config import RunConfig
from tripletlab.errors import InputError


def describe(config: RunConfig) -> None:
    """Print the rows of the architecture, their sizes, parameters and operations, and a total."""
    from tripletlab.architectures import description
    from tripletlab.architectures.blocks import Style

    chosen = config.architecture
    if "table" not in chosen.arguments:
        raise InputError(f"architecture={config.choices['architecture']} is not made of a table")
    size = config.faces["size"]
    network = chosen.build(input_size=size)
    style = Style(chosen["width"], chosen["batch_norm"], chosen["pool"])
    rows = description.describe(network, chosen["table"].build(), style)
    parameters, flops = description.total(rows)
    shown = Shown(
        title=f"{config.choices['architecture']} at {size}×{size}, width {style.width:g}",
        title_justify="left",
    )
    shown.add_column("row", no_wrap=True)
    shown.add_column("layers")
    for column in ("output", "parameters", "MFLOP"):
        shown.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(row.name, row.text, "×".join(map(str, row.output)), *_counts(*row[3:]))
    shown.add_section()
    shown.add_row("in all", "", "", *_counts(parameters, flops))
    Console(highlight=False).print(shown)


def _counts(parameters: int, flops: int | None) -> tuple[str, str]:
    million = "not known" if flops is None else f"{flops / 1e6:,.2f}" if flops else ""
    return (f"{parameters:,}" if parameters else "", million)
