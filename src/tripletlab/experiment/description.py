"""`tripletlab describe`: a network's table, as the paper's Table I shows it."""

from collections.abc import Sequence

from rich.table import Table as Shown

from tripletlab import config
from tripletlab.config import RunConfig
from tripletlab.errors import InputError
from tripletlab.system.progress import result_console


def describe(overrides: Sequence[str]) -> None:
    """Print the rows of the architecture, their sizes, parameters and operations, and a total.

    InputError for overrides of anything but the architecture, the size of a face, and the dtype.
    """
    from tripletlab.architectures import description
    from tripletlab.architectures.blocks import Style

    config.allow_only(overrides, ["architecture", "faces", "dtype"], command="describe")
    for one in config.of_nouns(overrides, ["faces"]):
        if config.key_of(one) not in ("faces", "faces.size"):
            raise InputError(f"{one}: of faces, tripletlab describe reads faces.size alone")
    base: RunConfig = config.compose("train", overrides)
    chosen, name = base.architecture, base.choices["architecture"]
    if "table" not in chosen.arguments:
        raise InputError(f"architecture={name} is not made of a table")
    size = base.faces["size"]
    network = chosen.build(input_size=size)
    style = Style(chosen["width"], chosen["batch_norm"], chosen["pool"])
    rows = description.describe(network, chosen["table"].build(), style)
    parameters, flops = description.total(rows)
    title = f"{name} at {size}×{size}, width {style.width:g}"
    shown = Shown(title=title, title_justify="left")
    shown.add_column("row", no_wrap=True)
    shown.add_column("layers")
    for column in ("output", "parameters", "MFLOP"):
        shown.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(row.name, row.text, "×".join(map(str, row.output)), *_counts(*row[3:]))
    shown.add_section()
    shown.add_row("in all", "", "", *_counts(parameters, flops))
    result_console().print(shown)


def _counts(parameters: int, flops: int | None) -> tuple[str, str]:
    million = "not known" if flops is None else f"{flops / 1e6:,.2f}" if flops else ""
    return (f"{parameters:,}" if parameters else "", million)
