"""The command line: `tripletlab VERB [key=value …]`. Heavy imports wait until a verb runs."""

import argparse
import os
import sys
from collections.abc import Sequence

from tripletlab import __version__, config
from tripletlab.errors import InputError

VERBS = {
    "prepare": "find the faces in photos and write them to faces.h5 and pairs.h5",
    "train": "train one network, judge it, log it and register it",
    "sweep": "train every cell of a grid, print their table, and crown the best",
    "ui": "show runs, pictures and models in the browser (MLflow)",
}
EPILOG = """examples:
  tripletlab sweep                                  the paper's grid on synthetic people
  tripletlab train miner=hard margin=0.4            one run
  tripletlab train --config miner=hard              what would run, without running it
  tripletlab sweep photos=folder 'photos.detected=[~/photos]' verification=heldout
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; 0 when it ends well, 2 for bad input, 130 for Ctrl-C."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    given = _parser().parse_args(arguments)
    try:
        _run(given)
    except InputError as error:
        print(f"tripletlab: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tripletlab: stopped; the same command goes on where it can", file=sys.stderr)
        return 130
    return 0


def _run(given: argparse.Namespace) -> None:
    if given.verb == "ui":
        return _ui(given)
    root = "prepare" if given.verb == "prepare" else "train"
    composed = config.compose(root, given.overrides)
    if root == "train":
        from tripletlab.training.backend import load

        load()
    config.check(composed.config)
    if given.config:
        import yaml

        print(yaml.safe_dump(config.resolved(composed.config), sort_keys=False), end="")
    elif given.verb == "prepare":
        from tripletlab.prepare import prepare

        prepare(composed.config, fresh=given.fresh)
    elif given.verb == "train":
        _train(composed)
    else:
        from tripletlab.sweep import sweep

        sweep(given.space, given.overrides, fresh=given.fresh)
    return None


def _train(composed: config.Composed) -> None:
    from tripletlab.prepare import prepare
    from tripletlab.train import train

    tracker = config.build(composed.config, "tracking")
    data = prepare(composed.config, fresh=False)
    tracker.open()
    name = f"{composed.choices['miner']} {composed.config['margin']}"
    outcome = train(composed, data, name=name, tracker=tracker)
    for metric, value in outcome.metrics.items():
        print(f"{metric}\t{value:.4f}" if isinstance(value, float) else f"{metric}\t{value}")
    print(f"run\t{outcome.run_id}")


def _ui(given: argparse.Namespace) -> None:
    from tripletlab.tracking import serve

    tracking = config.resolved(config.compose("train", given.overrides).config)["tracking"]
    serve(tracking["uri"], port=given.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tripletlab",
        description="Hyperparameter sweeps for face verification with triplet loss.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tripletlab {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, help_text in VERBS.items():
        sub = verbs.add_parser(
            verb,
            help=help_text,
            description=help_text[0].upper() + help_text[1:] + ".",
            epilog=_choices(verb),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.add_argument("overrides", nargs="*", metavar="key=value", help="change the config")
        sub.set_defaults(fresh=False, config=False)
        if verb in ("prepare", "sweep"):
            sub.add_argument("--fresh", action="store_true", help="do again what is there already")
        if verb in ("prepare", "train"):
            sub.add_argument("--config", action="store_true", help="print the config and stop")
        if verb == "sweep":
            spaces = ", ".join(p.stem for p in sorted(config.folder("sweeps").glob("*.yaml")))
            sub.add_argument("--space", default="margin_miner", help=f"a file, or one of: {spaces}")
        if verb == "ui":
            sub.add_argument("--port", type=int, default=5000, help="on 127.0.0.1 (5000)")
    return parser


def _choices(verb: str) -> str:
    """Every noun and its choices, from the first lines of the files in conf/."""
    if verb == "ui":
        return ""
    lines = ["choices (noun=choice; --config shows every key):"]
    for noun, choices in config.groups().items():
        lines.append(f"  {noun}")
        lines += [f"    {choice:<20}{about}" for choice, about in choices.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
