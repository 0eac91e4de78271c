"""The verbs: for each what it does, its help and its arguments. Heavy imports wait for a run."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tripletlab import config
from tripletlab.errors import InputError


def _prepare(given: argparse.Namespace) -> None:
    from tripletlab.prepare import prepare

    composed = _checked("prepare", given)
    if not _shown(composed, given):
        prepare(composed.config, fresh=given.fresh)


def _checksums(given: argparse.Namespace) -> None:
    from tripletlab.checksums import checksums

    checksums(Path(config.compose("prepare", given.overrides).config["data"]))


def _suspects(given: argparse.Namespace) -> None:
    from tripletlab.suspects import suspects

    overrides = [word for word in given.words if "=" in word]
    which = [word for word in given.words if "=" not in word]
    if len(which) > 1:
        raise InputError("write tripletlab suspects [champion|run|version] [key=value …]")
    composed = config.compose("train", overrides)
    suspects(composed.config, *(which or ["champion"]), share=given.share)


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


def _evaluate(given: argparse.Namespace) -> None:
    from tripletlab.evaluate import evaluate, print_faces

    if given.faces:
        given.overrides = [one for one in (given.what, *given.overrides) if one]
        print_faces(_checked("evaluate", given))
    elif given.what is None or "=" in given.what:
        raise InputError(f"what is to be judged? Give {WHATS}")
    else:
        composed = _checked("evaluate", given)
        evaluate(given.what, composed, given.overrides, folder=given.to)


def _identify(given: argparse.Namespace) -> None:
    from tripletlab.identify import identify_people

    composed = _checked("evaluate", given)
    places = {"gallery": given.gallery, "folder": given.to}
    identify_people(given.what, composed, given.overrides, **places)


def _compare(given: argparse.Namespace) -> None:
    from tripletlab.compare import compare_models

    given.overrides = [word for word in given.words if "=" in word]
    whats = [word for word in given.words if "=" not in word]
    compare_models(whats, _checked("evaluate", given), folder=given.to or Path("comparison"))


def _describe(given: argparse.Namespace) -> None:
    from tripletlab.describe import describe

    describe(_checked("train", given))


def _sweep(given: argparse.Namespace) -> None:
    from tripletlab import standing

    match given.words:
        case ["status", *words]:
            standing.status(words)
        case ["best", *words]:
            standing.best(words)
        case words:
            from tripletlab.sweep import sweep

            sweep(words, fresh=given.fresh, dry_run=given.dry_run)


def _report(given: argparse.Namespace) -> None:
    from tripletlab.answer import open_report

    open_report(given.words)


def _clean(given: argparse.Namespace) -> None:
    from tripletlab.standing import clean

    clean(given.overrides)


def _ui(given: argparse.Namespace) -> None:
    from tripletlab.tracking import serve

    tracking = config.resolved(config.compose("train", given.overrides).config)["tracking"]
    serve(tracking["uri"], port=given.port)


def _export(given: argparse.Namespace) -> None:
    from tripletlab.export import export

    overrides = [word for word in given.words if "=" in word]
    which, folder = _which([word for word in given.words if "=" not in word])
    export(
        config.compose("train", overrides).config,
        which,
        Path(folder),
        far=given.far,
        keras_too=given.keras,
        saved=given.savedmodel,
    )


def _enrol(given: argparse.Namespace) -> None:
    from tripletlab.recognise import enrol

    enrol(given.name, given.photos, bundle=given.bundle, gallery=given.gallery)


def _recognise(given: argparse.Namespace) -> None:
    from tripletlab.recognise import recognise

    recognise(given.photos, bundle=given.bundle, gallery=given.gallery, threshold=given.threshold)


def _webcam(given: argparse.Namespace) -> None:
    from tripletlab.webcam.window import webcam

    webcam(given.bundle, gallery=given.gallery, source=given.source)


def _which(words: list[str]) -> tuple[str, str]:
    """What to export, the champion where only a folder is given, and where to."""
    if not 1 <= len(words) <= 2:
        raise InputError("write tripletlab export [champion|run|version] FOLDER")
    return ("champion", words[0]) if len(words) == 1 else (words[0], words[1])


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
WORDS: Arguments = {
    "words": {
        "nargs": "*",
        "metavar": "SPACE key=value",
        "help": f"a file, or one of: {_spaces()} (margin_miner); key=value changes the space"
        " (axes.margin=[0.1,0.3] trials=20 seeds=[1,2,3]) or the config; `status NAME` and"
        " `best NAME` tell of a sweep that has run",
    }
}
PLACES: Arguments = {
    "--bundle": {"default": "bundle", "type": Path, "help": "as export wrote it (bundle)"},
    "--gallery": {"default": "gallery", "type": Path, "help": "a folder (gallery)"},
}
SHOTS: Arguments = {
    "photos": {"nargs": "+", "metavar": "PHOTO", "type": Path, "help": "files"}
} | PLACES
NAME: Arguments = {
    "words": {"nargs": "*", "metavar": "SPACE", "help": "the latest sweep of it, or of all"}
}
DRY_RUN: Arguments = {"--dry-run": {"action": "store_true", "help": "print the trials and stop"}}
WHATS = "champion, NAME@champion, NAME/version, a run's id, a bundle's folder, or a FILE.npy"
WHAT: Arguments = {"what": {"metavar": "WHAT", "help": WHATS}}
TO: Arguments = {
    "--to": {"metavar": "FOLDER", "type": Path, "help": "where card and pictures are written"}
}
PORT: Arguments = {"--port": {"type": int, "default": 5000, "help": "on 127.0.0.1 (5000)"}}

VERBS = {
    "prepare": Verb(
        _prepare,
        "find the faces in photos and write them to faces.h5 and pairs.h5",
        OVERRIDES | FRESH | CONFIG,
        choices=True,
    ),
    "checksums": Verb(
        _checksums,
        "tell whether prepared faces are still what was written",
        OVERRIDES,
        choices=False,
    ),
    "suspects": Verb(
        _suspects,
        "list photos that may lie in the wrong person's folder, by a trained network",
        {
            "words": {"nargs": "*", "metavar": "champion|run|version|key=value"},
            "--share": {"type": float, "default": 0.01, "help": "of the faces, at most (0.01)"},
        },
        choices=False,
    ),
    "train": Verb(
        _train,
        "train one network, judge it, log it and register it",
        OVERRIDES | CONFIG,
        choices=True,
    ),
    "evaluate": Verb(
        _evaluate,
        "judge a trained network, or embeddings from elsewhere, on any pairs",
        {
            "what": {**WHAT["what"], "nargs": "?"},
            "--faces": {
                "action": "store_true",
                "help": "only print the set's faces, in the order of the rows of a FILE.npy",
            },
        }
        | OVERRIDES
        | TO,
        choices=True,
    ),
    "compare": Verb(
        _compare,
        "compare models on the same pairs: which differences are real, and where they differ",
        {
            "words": {
                "metavar": "WHAT",
                "nargs": "+",
                "help": "runs, versions, or folders that evaluate has written; key=value too",
            }
        }
        | TO,
        choices=False,
    ),
    "identify": Verb(
        _identify,
        "look for faces among enrolled people, one to many: CMC, and TPIR at FPIR",
        WHAT
        | OVERRIDES
        | TO
        | {
            "--gallery": {
                "metavar": "FILE",
                "type": Path,
                "help": "the enrolled photos, a line each: name, tab, number",
            }
        },
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
        "train every point of a search space, print their table, and crown the best",
        WORDS | FRESH | DRY_RUN,
        choices=True,
    ),
    "report": Verb(
        _report,
        "write a sweep's report, one HTML page, and open it in the browser",
        NAME,
        choices=False,
    ),
    "clean": Verb(
        _clean,
        "delete checkpoints that no trial will go on from",
        OVERRIDES,
        choices=False,
    ),
    "ui": Verb(
        _ui,
        "show runs, pictures and models in the browser (MLflow)",
        OVERRIDES | PORT,
        choices=False,
    ),
    "export": Verb(
        _export,
        "write a trained network as a bundle, which needs no TensorFlow",
        {
            "words": {
                "nargs": "+",
                "metavar": "[champion|run|version] FOLDER",
                "help": "a run's id, a version such as MODEL/3, or the champion; and overrides",
            },
            "--far": {
                "type": float,
                "default": 0.01,
                "help": "strangers that the threshold may accept, of all (0.01)",
            },
            "--keras": {"action": "store_true", "help": "embedder.keras too"},
            "--savedmodel": {"action": "store_true", "help": "a TensorFlow SavedModel too"},
        },
        choices=False,
    ),
    "enrol": Verb(
        _enrol,
        "add photos of a person to the gallery",
        {"name": {"metavar": "NAME", "help": "whose photos they are"}} | SHOTS,
        choices=False,
    ),
    "recognise": Verb(
        _recognise,
        "say who is in photos: photo, name or unknown, squared distance, nearest person",
        SHOTS
        | {
            "--threshold": {
                "type": float,
                "help": "squared distance, 0 to 4, up to which it is the same person (the card's)",
            }
        },
        choices=False,
    ),
    "webcam": Verb(
        _webcam,
        "show who is in front of the camera: record people, frame and name every face",
        {
            "bundle": {
                "nargs": "?",
                "default": "bundle",
                "type": Path,
                "metavar": "BUNDLE",
                "help": "as export wrote it (bundle)",
            },
            "--source": {
                "default": "0",
                "help": "a camera's number, a video file or a folder of photos (0)",
            },
            "--gallery": PLACES["--gallery"],
        },
        choices=False,
    ),
}
