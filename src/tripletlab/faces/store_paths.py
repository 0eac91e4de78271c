"""Where a store lies: a folder named by its title and by a digest of all that goes into it."""

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from tripletlab.faces.landmarks import COEFFICIENTS
from tripletlab.photos.tree import source
from tripletlab.system.files import delete_unfinished
from tripletlab.system.locks import delete_unlocked
from tripletlab.system.paths import expanded, slug

COMPUTING = (  # the modules of this package that pixels go through
    *("alignment.py", "cleaning.py", "cropping.py", "detection.py"),
    *("landmarks.py", "overlay_text.py", "recipe.py"),
)
STORES = "*-" + 8 * "[0-9a-f]"  # the pattern of their folders
JOURNAL_AGE = 7 * 24 * 3600.0  # seconds after which the journal of a killed preparation is deleted


@dataclass(frozen=True)
class Preparation:
    """A store that is there now, and whether it was there before."""

    path: Path
    reused: bool


def store_path(folder: Path, *, title: str, key: object) -> Path:
    """The folder of a store: a readable name, and 8 digits that change with the inputs."""
    digits = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:8]
    return folder / f"{slug(title)}-{digits}"


def made_by(settings: Mapping[str, Any]) -> list[str]:
    """What makes faces of photos: OpenCV's version, this package's code, one's own, model files.

    It is part of a store's key: another version may decode, detect or resize otherwise.
    """
    modules = [Path(__file__).with_name(name).read_bytes() for name in COMPUTING]
    code = hashlib.sha256(b"".join(modules))
    every = list(_values(settings))
    models = [expanded(value) for name, value in every if name == "model"]
    own = [file for name, value in every if name == "_target_" for file in _own_code(value)]
    files = [COEFFICIENTS, *models, *own]
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return [cv2.__version__, code.hexdigest(), *digests]


def _values(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every value of the settings by its own name, at whatever depth."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _values(value)
        else:
            yield name, value


def _own_code(target: str) -> list[Path]:
    """The file of a callable's module, where that is neither tripletlab's nor built in."""
    if target.startswith("tripletlab."):
        return []
    spec = importlib.util.find_spec(target.rpartition(".")[0])
    return [Path(spec.origin)] if spec and spec.has_location and spec.origin else []


def listing(files: Sequence[Path]) -> str:
    """A digest that changes when a photo is added, removed, replaced, or made private."""
    digest = hashlib.sha256()
    for file in files:
        there = file.exists()
        status = file.stat() if there else file.lstat()  # of what a link leads to
        private = " private" * (there and not os.access(file, os.R_OK))
        digest.update(f"{source(file)} {status.st_size} {status.st_mtime_ns}{private}\n".encode())
    return digest.hexdigest()


def delete_leftovers(folder: Path) -> None:
    """Delete what killed preparations have left in a folder of stores, and no process uses.

    A journal is kept for a week: the command that was killed continues from it.
    """
    for pattern in (STORES, f"{STORES}/{STORES}"):  # held-out pairs lie in the folder of the faces
        for store in folder.glob(pattern):
            delete_unfinished(store)
    delete_unlocked(folder.glob(f"{STORES}/.faces.unfinished"), age=JOURNAL_AGE)
