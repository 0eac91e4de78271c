"""The verbs: for each what it does, its help and its arguments."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tripletlab import config
from tripletlab.commands import calls


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
WHAT: Arguments = {"what": {"metavar": "WHAT", "help": calls.WHATS}}
TO: Arguments = {
    "--to": {"metavar": "FOLDER", "type": Path, "help": "where card and pictures are written"}
}
PORT: Arguments = {"--port": {"type": int, "default": 5000, "help": "on 127.0.0.1 (5000)"}}

VERBS = {
    "prepare": Verb(
        calls.prepare,
        "find the faces in photos and write them to faces.h5 and pairs.h5",
        OVERRIDES | FRESH | CONFIG,
        choices=True,
    ),
    "data": Verb(
        calls.data,
        "tell whether prepared faces are still what was written (data verify)",
        {"what": {"choices": ["verify"], "help": "hold every store against its checksums"}}
        | OVERRIDES,
        choices=False,
    ),
    "suspects": Verb(
        calls.suspects,
        "list photos that may lie in the wrong person's folder, by a trained network",
        {
            "words": {"nargs": "*", "metavar": "champion|run|version|key=value"},
            "--share": {"type": float, "default": 0.01, "help": "of the faces, at most (0.01)"},
        },
        choices=False,
    ),
    "train": Verb(
        calls.train,
        "train one network, judge it, log it and register it",
        OVERRIDES | CONFIG,
        choices=True,
    ),
    "evaluate": Verb(
        calls.evaluate,
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
        calls.compare,
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
        calls.identify,
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
        calls.describe,
        "print a network's table: rows, sizes, parameters, operations",
        OVERRIDES,
        choices=True,
    ),
    "sweep": Verb(
        calls.sweep,
        "train every point of a search space, print their table, and crown the best",
        WORDS | FRESH | DRY_RUN,
        choices=True,
    ),
    "report": Verb(
        calls.report,
        "write a sweep's report, one HTML page, and open it in the browser",
        NAME,
        choices=False,
    ),
    "clean": Verb(
        calls.clean,
        "delete checkpoints that no trial will go on from",
        OVERRIDES,
        choices=False,
    ),
    "ui": Verb(
        calls.ui,
        "show runs, pictures and models in the browser (MLflow)",
        OVERRIDES | PORT,
        choices=False,
    ),
    "export": Verb(
        calls.export,
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
        calls.enrol,
        "add photos of a person to the gallery",
        {"name": {"metavar": "NAME", "help": "whose photos they are"}} | SHOTS,
        choices=False,
    ),
    "recognise": Verb(
        calls.recognise,
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
        calls.webcam,
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
