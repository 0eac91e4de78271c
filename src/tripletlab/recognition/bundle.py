"""The bundle: a folder with a trained network and everything needed to use it elsewhere.

`bundle.json` holds the preparation of faces, a card with the calibrated threshold and the origin of
the network, and the network's digest. The other files are named by their digests, so that a new
bundle is complete beside the old one until the new `bundle.json` replaces the old. It contains no
code: it may come from somebody else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tripletlab.errors import InputError, brief
from tripletlab.faces.recipe import FaceRecipe
from tripletlab.recognition.bundle_folder import (
    FORMATS,
    LONGEST,
    MANIFEST,
    README,
    only_writer,
    remove,
)
from tripletlab.recognition.bundle_readme import readme
from tripletlab.recognition.calibration import Calibration
from tripletlab.recognition.embedder import Embedder
from tripletlab.recognition.preparation import (
    AGAIN,
    digest,
    packed,
    read_exported,
    recipe_from,
    unpacked,
)
from tripletlab.system.files import write_whole

FORMAT: Literal[2] = 2

Digest = Field(pattern="^[0-9a-f]{64}$")


class Card(BaseModel):
    """What a network was trained on, its metrics, and its threshold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str  # its name in the registry
    version: str
    run_id: str
    photos: str  # that it was trained on
    verification: str  # pairs that it was evaluated on
    faces_fingerprint: str
    pairs_fingerprint: str
    licence: str  # of the training data
    metrics: dict[str, float]  # on the verification pairs
    threshold: float = Field(ge=0, le=4)  # squared distance
    far: float = Field(gt=0, lt=1)  # that the threshold was chosen for
    calibration: Calibration  # on pairs of people not trained on
    calibrated_on: Literal["calibration", "validation"] = "validation"  # split of those people


class Manifest(BaseModel):
    """bundle.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[2]
    network: str = Digest  # of embedder-DIGEST.onnx
    weights: str = Digest  # of the trained weights, in whatever file format
    faces: dict[str, Any]  # the settings of the preparation as in conf/faces, files by name
    card: Card


@dataclass(frozen=True)
class Bundle:
    """A bundle that has been read and checked."""

    folder: Path
    manifest: Manifest
    settings: dict[str, Any]  # of the preparation, with the paths of the files in the folder
    recipe: FaceRecipe
    embedder: Embedder

    @property
    def card(self) -> Card:
        """The network's origin, metrics and threshold."""
        return self.manifest.card

    @property
    def fingerprint(self) -> str:
        """A digest of the weights and preparation: the same for every export of both."""
        both = [self.manifest.weights, self.manifest.faces]
        return digest(json.dumps(both, sort_keys=True).encode())

    @property
    def detector(self) -> str:
        """A digest of the detector and its settings: what it finds in a photo depends on both."""
        return digest(json.dumps(self.manifest.faces["detector"], sort_keys=True).encode())

    @classmethod
    def open(cls, folder: Path) -> "Bundle":
        """Read a bundle; InputError says what is wrong with it."""
        path = folder / MANIFEST
        if not path.is_file():
            raise InputError(f"{folder}: no bundle is there; {AGAIN}")
        return _checked(folder, _read(path))


def load(folder: Path | str = "bundle") -> Bundle:
    """Open a bundle that `tripletlab export` wrote; InputError says what is wrong with it."""
    return Bundle.open(Path(folder))


def write_bundle(
    folder: Path, network: Path, *, weights: str, faces: Mapping[str, Any], card: Card
) -> Bundle:
    """Write a bundle into a folder that is new, or holds an older bundle, which it replaces.

    `network` is an ONNX file, which is copied, as are the files that `faces` names; `weights` is
    the digest of its weights. A killed process leaves the older bundle or the new one; the next
    one removes its unfinished files. InputError, with nothing written, where the folder holds
    anything else or the bundle cannot be used.
    """
    content = network.read_bytes()
    settings, files = packed(faces)
    files[_network_name(digest(content))] = content
    manifest = Manifest(
        format=FORMAT, network=digest(content), weights=weights, faces=settings, card=card
    )
    try:
        with only_writer(folder) as older:
            for name, one in files.items():
                write_whole(folder / name, one)
            checked = _checked(folder, manifest)
            remove(folder, (README, *FORMATS))  # of the older network
            write_whole(folder / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())
            remove(folder, older - {*files, MANIFEST})
            name = _network_name(manifest.network)
            text = readme(card, settings, network=name, dim=checked.embedder.dim)
            write_whole(folder / README, text.encode())
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from error
    return Bundle.open(folder)


def _network_name(network: str) -> str:
    return f"embedder-{network}.onnx"


def _checked(folder: Path, manifest: Manifest) -> Bundle:
    """The bundle of a manifest whose files are in the folder, checked."""
    path = folder / _network_name(manifest.network)
    content = read_exported(path, manifest.network)
    settings = unpacked(manifest.faces, folder)
    embedder, recipe = Embedder(content, name=path), recipe_from(settings, folder)
    if embedder.size != recipe.size:
        raise InputError(
            f"{folder}: the network wants faces of {embedder.size} pixels and the"
            f" preparation makes them {recipe.size}; {AGAIN}"
        )
    return Bundle(folder, manifest, settings, recipe, embedder)


def _read(path: Path) -> Manifest:
    try:
        if path.stat().st_size > LONGEST:
            raise ValueError("far too long")
        plain = json.loads(path.read_text("utf-8"))
        if isinstance(plain, dict) and plain.get("format", FORMAT) != FORMAT:
            kind = brief(plain["format"])
            raise InputError(
                f"{path}: its format is {kind} and not {FORMAT}: another version of tripletlab"
                f" wrote it; {AGAIN}"
            )
        return Manifest.model_validate(plain)
    except ValidationError as error:
        wrong = error.errors()[0]
        where = brief(".".join(map(str, wrong["loc"])))
        raise InputError(f"{path}: {where}: {brief(wrong['msg'])}; {AGAIN}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: damaged; {AGAIN}") from error
