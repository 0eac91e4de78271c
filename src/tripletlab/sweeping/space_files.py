"""Reads the file of a space, with the changes of the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tripletlab.config.yaml_files import load_as_conf, read_yaml
from tripletlab.errors import InputError, brief
from tripletlab.sweeping.axes import Choice, Range
from tripletlab.sweeping.spaces import Space


def read_space(path: Path, changes: Mapping[str, Any] = {}) -> Space:
    """Read a space; `changes`, by dotted keys, replace an axis or a key beside `axes`.

    InputError where the file is no valid space.
    """
    if not path.is_file():
        names = ", ".join(sorted(other.stem for other in path.parent.glob("*.yaml"))) or "none"
        raise InputError(f"{path}: no such space; {path.parent} has {names}")
    content = read_yaml(path, load_as_conf)
    if "name" in {*content, *changes}:
        raise InputError(f"{path}: leave out `name`; a space has the name of its file")
    for key, value in changes.items():
        _change(content, key, value)
    kind = "ablation" if "ablation" in content else "axes"
    axes = content.get(kind)
    if not isinstance(axes, dict) or not axes or {"axes", "ablation"} <= content.keys():
        raise InputError(
            f"{path}: write `axes:` and under it a list of values for each key, or `ablation:` and"
            " under it a value for each key"
        )
    try:
        ablation = content.pop("ablation", None) is not None
        if ablation:
            axes = {key: node if isinstance(node, list) else [node] for key, node in axes.items()}
        axes = {key: _axis(node, f"{path}: axis {key}") for key, node in axes.items()}
        own = {"name": path.stem, "axes": axes, "ablation": ablation}
        return Space.model_validate({**content, **own})
    except ValidationError as error:
        raise InputError(f"{path}: {_reason(error)}") from error


def _change(content: dict[str, Any], key: str, value: Any) -> None:
    first, *rest = key.split(".")
    kind = "ablation" if "ablation" in content else "axes"
    if first in ("axes", "ablation") and first != kind:
        raise InputError(f"{key}: this space has {kind}; give {kind}.{'.'.join(rest) or 'KEY'}=…")
    if key != kind and (first == kind or first not in Space.model_fields):
        if not isinstance(content.setdefault(kind, {}), dict):
            raise InputError(f"{key}: {kind} has no keys in the file; write {kind}.KEY there")
        content[kind][key.removeprefix(f"{kind}.")] = value
        return
    node = content
    for part in (first, *rest)[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise InputError(f"{key}: {part} has no keys; give {part}=…")
    node[(first, *rest)[-1]] = value


def _axis(node: Any, where: str) -> Choice | Range:
    try:
        if isinstance(node, list):
            return Choice.model_validate({"values": node})
        if isinstance(node, dict):
            return (Choice if "values" in node else Range).model_validate(node)
    except ValidationError as error:
        raise InputError(f"{where}: {_reason(error)}; {_AXIS}") from error
    raise InputError(f"{where}: {_AXIS}")


_AXIS = "it needs a list of values, such as [0.2, 0.4], or {low: 0.1, high: 0.6}"


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    text = first["msg"].removeprefix("Value error, ")
    text = f"{text[0].lower()}{text[1:]}" if place else text
    return brief(f"{place}: {text}" if place else text)
