"""The command line: `tripletlab VERB [key=value …]`. Heavy imports wait until a verb runs."""

import _thread
import argparse
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tripletlab import __version__, config
from tripletlab.errors import InputError

EPILOG = """examples:
  tripletlab sweep                                  the paper's grid on synthetic people
  tripletlab train miner=hard margin=0.4            one run
  tripletlab train --config miner=hard              what would run, without running it
  tripletlab describe architecture=resnet           the table of a network
  tripletlab sweep photos=folder 'photos.detected=[~/photos]' verification=heldout
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; 0 when it ends well, 2 for bad input, 130 for Ctrl-C."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    given = _parser().parse_args(arguments)
    try:
        with _every_interrupt_heard():
            VERBS[given.verb].run(given)
    except (InputError, FloatingPointError) as error:
        print(f"tripletlab: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tripletlab: stopped; the same command goes on where it can", file=sys.stderr)
        return 130
    return 0


@contextlib.contextmanager
def _every_interrupt_heard() -> Iterator[None]:
    """Ctrl-C comes again when Python has dropped it.

    It drops every exception in a callback of the garbage collector, and a sweep spends seconds in
    there when Keras forgets the network of the run before.
    """

    def dropped(what: "sys.UnraisableHookArgs") -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            threading.Timer(0.1, _thread.interrupt_main).start()
        else:
            before(what)

    before, sys.unraisablehook = sys.unraisablehook, dropped
    try:
        yield
    finally:
        sys.unraisablehook = before


def _prepare(given: argparse.Namespace) -> None:
    from tripletlab.prepare import prepare

    composed = _checked("prepare", given)
    if not _shown(composed, given):
        prepare(composed.config, fresh=given.fresh)


def _train(given: argparse.Namespace) -> None:
    from tripletlab.prepare import prepare
    from tripletlab.train import train

    composed = _checked("train", given)
    if _shown(composed, given):
        return
    tracker = config.build(composed.config, "tracking")
    data = prepare(composed.config, fresh=False)
    tracker.open()
    name = f"{composed.choices['miner']} {composed.config['margin']}"
    outcome = train(composed, data, name=name, tracker=tracker)
    for metric, value in outcome.metrics.items():
        print(f"{metric}\t{value:.4f}" if isinstance(value, float) else f"{metric}\t{value}")
    print(f"run\t{outcome.run_id}")


def _describe(given: argparse.Namespace) -> None:
    from tripletlab.describe import describe

    describe(_checked("train", given))


def _sweep(given: argparse.Namespace) -> None:
    from tripletlab.sweep import sweep

    _checked("train", given)
    sweep(given.space, given.overrides, fresh=given.fresh)


def _ui(given: argparse.Namespace) -> None:
    from tripletlab.tracking import serve

    tracking = config.resolved(config.compose("train", given.overrides).config)["tracking"]
    serve(tracking["uri"], port=given.port)


def _checked(root: str, given: argparse.Namespace) -> config.Composed:
    """The config of one of conf/'s root files, every value held against the code it is for."""
    composed = config.compose(root, given.overrides)
    if root == "train":
        from tripletlab.training.backend import load

        load()
    config.check(composed.config)
    return composed


def _shown(composed: config.Composed, given: argparse.Namespace) -> bool:
    """Print the config where --config asks for it."""
    if given.config:
        import yaml

        print(yaml.safe_dump(config.resolved(composed.config), sort_keys=False), end="")
    return bool(given.config)


def _spaces() -> str:
    return ", ".join(path.stem for path in sorted(config.folder("sweeps").glob("*.yaml")))


Arguments = dict[str, dict[str, Any]]  # name or flag -> its settings, as argparse takes them


class Verb(NamedTuple):
    """What a verb does, its help, and its arguments."""

    run: Callable[[argparse.Namespace], None]
    about: str
    arguments: Arguments
    choices: bool  # its help lists what conf/ has to choose from


OVERRIDES: Arguments = {
    "overrides": {"nargs": "*", "metavar": "key=value", "help": "change the config"}
}
CONFIG: Arguments = {"--config": {"action": "store_true", "help": "print the config and stop"}}
FRESH: Arguments = {"--fresh": {"action": "store_true", "help": "do again what is there already"}}
SPACE: Arguments = {
    "--space": {"default": "margin_miner", "help": f"a file, or one of: {_spaces()}"}
}
PORT: Arguments = {"--port": {"type": int, "default": 5000, "help": "on 127.0.0.1 (5000)"}}

VERBS = {
    "prepare": Verb(
        _prepare,
        "find the faces in photos and write them to faces.h5 and pairs.h5",
        OVERRIDES | FRESH | CONFIG,
        choices=True,
    ),
    "train": Verb(
        _train,
        "train one network, judge it, log it and register it",
        OVERRIDES | CONFIG,
        choices=True,
    ),
    "describe": Verb(
        _describe,
        "print a network's table: rows, sizes, parameters, operations",
        OVERRIDES,
        choices=True,
    ),
    "sweep": Verb(
        _sweep,
        "train every cell of a grid, print their table, and crown the best",
        OVERRIDES | FRESH | SPACE,
        choices=True,
    ),
    "ui": Verb(
        _ui,
        "show runs, pictures and models in the browser (MLflow)",
        OVERRIDES | PORT,
        choices=False,
    ),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tripletlab",
        description="Hyperparameter sweeps for face verification with triplet loss.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tripletlab {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, verb in VERBS.items():
        sub = verbs.add_parser(
            name,
            help=verb.about,
            description=verb.about[0].upper() + verb.about[1:] + ".",
            epilog=_choices() if verb.choices else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for argument, settings in verb.arguments.items():
            sub.add_argument(argument, **settings)
    return parser


def _choices() -> str:
    """Every noun and its choices, from the first lines of the files in conf/."""
    lines = ["choices (noun=choice; --config shows every key):"]
    for noun, choices in config.groups().items():
        lines.append(f"  {noun}")
        lines += [f"    {choice:<20}{about}" for choice, about in choices.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
