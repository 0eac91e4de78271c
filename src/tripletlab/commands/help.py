"""The help of the commands: Typer's, and the choices of conf/ and sweeps/ that a command takes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.console import Group as Parts
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from tripletlab import config

Choices = Mapping[str, str]  # what each is, by name

SECTIONS = {  # of the choices in a help
    "What to learn from": ("photos", "faces", "preparation"),
    "The network": ("architecture",),
    "Training": (
        *("batches", "graph", "augmentation", "miner", "loss", "regularizer"),
        *("margin_schedule", "optimizer", "rate_schedule", "guard"),
    ),
    "Evaluation": ("verification", "metrics"),
    "Running": ("tracking", "engine"),
    "Recipes of several choices": ("+experiment",),
}
NOUNS = {  # of conf/ that a command takes
    "prepare": config.PrepareConfig.nouns(),
    "evaluate": config.EvaluateConfig.nouns(),
    "identify": config.EvaluateConfig.nouns(),
    "describe": {"architecture", "faces"},
    "train": config.RunConfig.nouns() | {"+experiment"},
    "sweep": config.SweepConfig.nouns() | {"+experiment"},
}
OF_A_RUN = {"evaluate", "identify"}  # commands whose defaults are the choices of a network's run
DETAILED = "train"  # the command whose help says what each choice is


class Command(TyperCommand):
    """A command in whose help flags and arguments stand without the type of their value."""

    def __init__(self, *args: Any, help: str | None = None, **settings: Any) -> None:
        """`help` is a docstring, whose paragraphs are wrapped anew to the width of the screen."""
        super().__init__(*args, help=help and re.sub(r"(?<!\n)\n(?!\n)", " ", help), **settings)

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, --help among them."""
        return _untyped(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands, in whose help flags stand without the type of their value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, --help among them."""
        return _untyped(super().get_params(ctx))


class ConfigCommand(Command):
    """A command whose help lists the nouns of conf/ that it takes, and their choices."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Typer's help, then the choices: what each is, or their names alone."""
        super().format_help(ctx, formatter)
        console = Console(highlight=False)
        if self.name == "sweep":
            _print_panel(console, "SPACE, one of", [_described(_spaces(), "margin_miner")])
        groups = config.groups()
        groups["+experiment"] = groups.pop("experiment")
        defaults = config.defaults("sweep")
        taken = {
            section: {noun: groups[noun] for noun in nouns if noun in NOUNS[self.name or ""]}
            for section, nouns in SECTIONS.items()
        }
        if self.name == DETAILED:
            for section, nouns in taken.items():
                _print_panel(console, section, _explained(nouns, defaults))
            console.print(" *name* is the default; NOUN=CHOICE takes another: miner=hard")
            console.print(" tripletlab train --config shows all other keys, such as margin=0.2")
        else:
            _print_panel(console, "NOUN=CHOICE", [_listed(taken.values(), defaults)])
            own = " where the network's run has none" if self.name in OF_A_RUN else ""
            console.print(f" *name* is the default{own}")
            console.print(f" tripletlab {DETAILED} --help says what each choice is")


def _untyped(params: list[Any]) -> list[Any]:
    """Without `<bool>` at flags, which take no value, and `<list[str]>` at arguments."""
    for param in params:
        if isinstance(param, TyperArgument) or (isinstance(param, TyperOption) and param.is_flag):
            vars(param)["display_type_rich"] = lambda ctx: None
    return params


def _spaces() -> dict[str, str]:
    files = sorted(config.folder("sweeps").glob("*.yaml"))
    return {path.stem: config.first_comment(path) for path in files}


def _explained(nouns: Mapping[str, Choices], defaults: Mapping[str, str]) -> list[RenderableType]:
    """Each noun as a heading, and below it a line for each choice."""
    return [
        part
        for noun, choices in nouns.items()
        for part in (Text(f"{noun}=", style="bold cyan"), _described(choices, defaults.get(noun)))
    ]


def _described(choices: Choices, default: str | None) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=24, no_wrap=True)
    for name, about in choices.items():
        table.add_row(Text("  ").append(_marked(name, default)), Text(about))
    return table


def _listed(sections: Iterable[Mapping[str, Choices]], defaults: Mapping[str, str]) -> Table:
    """A row for each noun with the names of its choices."""
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=16, no_wrap=True)
    for section in sections:
        for noun, choices in section.items():
            names = [_marked(name, defaults.get(noun)) for name in choices]
            table.add_row(Text(f"{noun}=", style="bold cyan"), Text(", ").join(names))
    return table


def _marked(name: str, default: str | None) -> Text:
    return Text(f"*{name}*", style="bold") if name == default else Text(name)


def _print_panel(console: Console, title: str, parts: list[RenderableType]) -> None:
    if parts:
        console.print(Panel(Parts(*parts), title=title, title_align="left", border_style="dim"))
