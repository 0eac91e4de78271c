"""The bundle: a folder with a trained network and all that is needed to use it elsewhere.

`bundle.json` holds the preparation of faces, a card with the calibrated threshold and where the
network comes from, and the digest of `embedder.onnx`. Nothing in it is code: it may come from
somebody else.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tripletlab.config.instantiate import read_component
from tripletlab.errors import InputError
from tripletlab.faces.recipe import FaceRecipe
from tripletlab.recognition.calibration import Calibration
from tripletlab.recognition.embedder import Embedder

FORMAT: Literal[1] = 1
MANIFEST, NETWORK = "bundle.json", "embedder.onnx"
RECIPE = "tripletlab.faces.recipe.FaceRecipe"
# All that a bundle may have called: what conf/faces names.
CALLABLE = {
    f"tripletlab.faces.{name}"
    for name in (
        "recipe.FaceRecipe",
        "detection.haar",
        "detection.whole",
        "detection.YuNet",
        "alignment.none",
        "alignment.Aligned",
        "landmarks.regressed",
        "landmarks.FivePoints",
        "cleaning.Cleaning",
    )
}
AGAIN = "make it again with `tripletlab export champion FOLDER`"

Digest = Field(pattern="^[0-9a-f]{64}$")


class Card(BaseModel):
    """What a network was trained on, how well it did, and how strict it should be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str  # its name in the registry
    version: str
    run_id: str
    photos: str  # it learned from
    verification: str  # it was judged by
    faces_fingerprint: str
    pairs_fingerprint: str
    licence: str  # of the training data
    metrics: dict[str, float]  # of the verification
    threshold: float = Field(ge=0, le=4)  # squared distance
    far: float = Field(gt=0, lt=1)  # that the threshold was chosen for
    calibration: Calibration  # on pairs of people that it did not learn from


class Manifest(BaseModel):
    """bundle.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    file: str = Digest  # of embedder.onnx
    weights: str = Digest  # of the trained network, however it is written
    faces: dict[str, Any]  # the settings of the preparation, as conf/faces has them
    card: Card


@dataclass(frozen=True)
class Bundle:
    """A bundle that has been read and checked."""

    folder: Path
    manifest: Manifest
    recipe: FaceRecipe
    embedder: Embedder

    @property
    def card(self) -> Card:
        """Where the network comes from and how well it does."""
        return self.manifest.card

    @property
    def fingerprint(self) -> str:
        """The same for every export of the same network and preparation, and for no other."""
        return fingerprint(self.manifest)

    @classmethod
    def open(cls, folder: Path) -> "Bundle":
        """Read a bundle; InputError says what is wrong with it."""
        path = folder / MANIFEST
        if not path.is_file():
            raise InputError(f"{folder}: no bundle is there; {AGAIN}")
        manifest = _read(path)
        network = folder / NETWORK
        if not network.is_file() or _digest(network.read_bytes()) != manifest.file:
            raise InputError(f"{network}: missing, or not the one that was exported; {AGAIN}")
        embedder, recipe = Embedder(network), recipe_from(manifest.faces)
        if embedder.size != recipe.size:
            raise InputError(
                f"{folder}: the network wants faces of {embedder.size} pixels and the"
                f" preparation makes them {recipe.size}; {AGAIN}"
            )
        return cls(folder, manifest, recipe, embedder)


def fingerprint(manifest: Manifest) -> str:
    """A digest of the weights and of the preparation."""
    return _digest(json.dumps([manifest.weights, manifest.faces], sort_keys=True).encode())


def recipe_from(settings: Mapping[str, Any]) -> FaceRecipe:
    """The preparation that the settings describe; InputError where they name anything else."""
    if settings.get("_target_") != RECIPE:
        raise InputError(f"the preparation of faces must be {RECIPE}, not {settings}")
    _guard(settings)
    made: FaceRecipe = read_component(settings, "faces", allowed=CALLABLE).build()
    return made


def write_bundle(
    folder: Path, network: Path, *, weights: str, faces: Mapping[str, Any], card: Card
) -> Bundle:
    """Write a bundle in a folder that appears whole, or takes an older bundle's place.

    `network` is an ONNX file, which is copied; `weights` the digest of what it computes with.
    """
    if folder.exists() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise InputError(f"{folder}: there are other things in it; give a new folder")
    content = network.read_bytes()
    manifest = Manifest(
        format=FORMAT, file=_digest(content), weights=weights, faces=dict(faces), card=card
    )
    made = folder.with_name(f".{folder.name}.{os.getpid()}")
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        made.mkdir(parents=True)
        _write(made / NETWORK, content)
        _write(made / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())
        Bundle.open(made)
        if folder.exists():
            folder.rename(aside)
        made.rename(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from error
    finally:
        for rest in (made, aside):
            shutil.rmtree(rest, ignore_errors=True)
    return Bundle.open(folder)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> Manifest:
    try:
        plain = json.loads(path.read_text())
        if isinstance(plain, dict) and plain.get("format", FORMAT) != FORMAT:
            raise InputError(f"{path}: its format is {plain['format']} and not {FORMAT}; {AGAIN}")
        return Manifest.model_validate(plain)
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(map(str, wrong["loc"]))
        raise InputError(f"{path}: {where}: {wrong['msg']}; {AGAIN}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: damaged; {AGAIN}") from error


def _guard(node: object) -> None:
    """InputError where a node names anything to call that a preparation is not made of."""
    if isinstance(node, Mapping):
        if "_target_" in node and node["_target_"] not in CALLABLE:
            raise InputError(f"{node['_target_']}: a bundle may not call that; {AGAIN}")
        for value in node.values():
            _guard(value)
    elif isinstance(node, list):
        for value in node:
            _guard(value)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
