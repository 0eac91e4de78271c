"""The command line: `tripletlab VERB [key=value …]`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from tripletlab import __version__, config
from tripletlab.commands.table import VERBS
from tripletlab.errors import InputError
from tripletlab.system.interrupts import every_interrupt_heard, terminated_as_by_hand

EPILOG = """examples:
  tripletlab sweep                                  the paper's grid on synthetic people
  tripletlab train miner=hard margin=0.4            one run
  tripletlab train --config miner=hard              what would run, without running it
  tripletlab describe architecture=resnet           the table of a network
  tripletlab sweep photos=folder 'photos.detected=[~/photos]' verification=heldout
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; 0 when it ends well, 2 for bad input, 130 for Ctrl-C and SIGTERM alike."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    given = _parsed(arguments)
    try:
        with terminated_as_by_hand(), every_interrupt_heard(signal.SIGINT):
            VERBS[given.verb].run(given)
    except (InputError, FloatingPointError) as error:
        print(f"tripletlab: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tripletlab: stopped; the same command goes on where it can", file=sys.stderr)
        return 130
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; key=value may stand behind an option too, which argparse does not foresee."""
    parser = _parser()
    given, rest = parser.parse_known_args(arguments)
    words = next((vars(given)[name] for name in ("overrides", "words") if name in given), None)
    unknown = [word for word in rest if word.startswith("-") or "=" not in word]
    if unknown or (rest and words is None):
        parser.error(f"unrecognized arguments: {' '.join(unknown or rest)}")
    if rest and words is not None:
        words += rest
    return given


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
