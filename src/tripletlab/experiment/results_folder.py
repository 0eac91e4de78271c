"""Where the results of `evaluate` and `identify` lie unless --to names a folder."""

import hashlib
from pathlib import Path

from tripletlab.experiment.target import EvaluationTarget
from tripletlab.system.paths import slug

LONGEST = 40  # characters of a target's name; a slug has no more


def label_of(target: EvaluationTarget) -> str:
    """What a target was evaluated on: the set, and whether with mirror images; part of a name."""
    return slug(target.store.title) + ("-flip" if target.flip else "")


def results_folder(tracking: Path, what: str, label: str) -> Path:
    """The folder for the results of `what`, a target as it was given, on the set of this label.

    Long names, such as those of files in deep folders, differ by six digits of a digest.
    """
    name = slug(what)
    if len(what) > LONGEST:
        name += "-" + hashlib.sha256(what.encode(errors="surrogateescape")).hexdigest()[:6]
    return tracking / "evaluations" / f"{name}-{label}"
