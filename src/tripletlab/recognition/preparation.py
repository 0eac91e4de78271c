"""How a bundle's faces are prepared: untrusted settings, and their files.

The file of a YuNet detector travels with the bundle, named by its digest: yunet-SHA256.onnx.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tripletlab.config.instantiate import INTERPOLATION, read_component
from tripletlab.errors import InputError, brief
from tripletlab.faces.detection import Box
from tripletlab.faces.recipe import FaceRecipe
from tripletlab.recognition.embedder import check_detector, read_onnx
from tripletlab.system.paths import expanded

AGAIN = "make it again with `tripletlab export champion FOLDER`"
RECIPE = "tripletlab.faces.recipe.FaceRecipe"
YUNET = "tripletlab.faces.detection.YuNet"
YUNET_FILE = re.compile(r"yunet-([0-9a-f]{64})\.onnx")
# The only names that a bundle may call: those in conf/faces.
CALLABLE = {RECIPE, YUNET} | {
    f"tripletlab.faces.{name}"
    for name in (
        "detection.haar",
        "detection.whole",
        "alignment.none",
        "alignment.Aligned",
        "landmarks.regressed",
        "landmarks.FivePoints",
        "cleaning.Cleaning",
    )
}
DEEPEST = 10  # levels of nested settings


def packed(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The settings with file paths replaced by names in the bundle, and the contents by name."""
    files: dict[str, bytes] = {}

    def pack(path: str) -> str:
        content = read_onnx(expanded(path))
        name = f"yunet-{digest(content)}.onnx"
        files[name] = content
        return name

    return _with_models(settings, pack), files


def unpacked(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The settings with file names replaced by paths in this bundle's folder.

    InputError where a file is missing, or does not have the digest in its name.
    """

    def unpack(name: object) -> str:
        named = YUNET_FILE.fullmatch(name) if isinstance(name, str) else None
        if not named:
            raise InputError(f"{folder}: faces: {brief(name)} is no file of a bundle; {AGAIN}")
        path = folder.resolve() / named[0]
        check_detector(read_exported(path, named[1]), name=path)
        return str(path)

    _guard(settings, folder)
    return dict(_with_models(settings, unpack))


def recipe_from(settings: Mapping[str, Any], folder: Path) -> FaceRecipe:
    """The preparation of unpacked settings, tried on a photo of noise.

    InputError where they name anything else, or the preparation fails; `folder` is the bundle's,
    for the message.
    """
    _guard(settings, folder)
    try:
        recipe: FaceRecipe = read_component(settings, "faces", allowed=CALLABLE).build()
        photo = np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)
        recipe.detector(photo)
        face = recipe.extract(photo, Box(16, 16, 64))
        if face.shape != (recipe.size, recipe.size):
            raise ValueError(f"faces of shape {face.shape}")
    except Exception as error:  # untrusted values may cause any exception
        raise InputError(f"{folder}: no faces can be prepared: {brief(error)}; {AGAIN}") from error
    return recipe


def digest(content: bytes) -> str:
    """SHA-256, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def read_exported(path: Path, wanted: str) -> bytes:
    """The content of a bundle's file; InputError where it has another digest, or is not there."""
    content = read_onnx(path) if path.is_file() else b""
    if digest(content) != wanted:
        raise InputError(f"{path}: missing, or not the file that was exported; {AGAIN}")
    return content


def _with_models(node: Any, change: Callable[[Any], str]) -> Any:
    """The settings, with the `model` of every YuNet changed."""
    if isinstance(node, list):
        return [_with_models(value, change) for value in node]
    if not isinstance(node, Mapping):
        return node
    changed = {key: _with_models(value, change) for key, value in node.items()}
    if node.get("_target_") == YUNET:
        changed["model"] = change(node.get("model"))
    return changed


def _guard(settings: Mapping[str, Any], folder: Path) -> None:
    """InputError where the settings name anything that is not part of a preparation."""
    if settings.get("_target_") != RECIPE:
        raise InputError(f"{folder}: faces: must be prepared by {RECIPE}; {AGAIN}")
    nodes: list[tuple[object, int]] = [(settings, 0)]
    while nodes:
        node, depth = nodes.pop()
        if depth > DEEPEST:
            raise InputError(f"{folder}: faces: nested too deeply; {AGAIN}")
        if isinstance(node, str) and INTERPOLATION in node:
            raise InputError(f"{folder}: faces: {brief(node)} is not a plain value; {AGAIN}")
        if isinstance(node, Mapping):
            target = node.get("_target_", RECIPE)
            if not isinstance(target, str) or target not in CALLABLE:
                raise InputError(f"{folder}: a bundle may not call {brief(target)}; {AGAIN}")
            nodes += [(value, depth + 1) for value in node.values()]
        elif isinstance(node, list):
            nodes += [(value, depth + 1) for value in node]
