"""The verbs: for each what it does, its help and its arguments. Heavy imports wait for a run."""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from tripletlab import config


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
