"""Plain dicts that name a callable (`_target_`) and its arguments: checked against it, and called.

The callable's annotations say which values are allowed (`Annotated[float, Field(gt=0)]`); every
value is held against them, so that a wrong one is told of before any work begins.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, get_type_hints

from tripletlab.errors import InputError

INTERPOLATION = "${"


class Call(NamedTuple):
    """A node whose values have been checked; nested ones are calls in turn."""

    target: Callable[..., Any]
    arguments: dict[str, Any]
    partial: bool


def has_target(node: object) -> bool:
    """The node names a callable."""
    return isinstance(node, Mapping) and "_target_" in node


def checked(node: Mapping[str, Any], raw: Mapping[str, Any], path: str) -> Call:
    """The call that a node stands for; InputError names the key of a value that it cannot take.

    `raw` is the node before its interpolations were replaced, `path` the dotted way to it.
    """
    target = _target(node["_target_"], path)
    hints = _hints(target)
    _hold_against_signature(target, node, path)
    arguments = {
        key: checked(value, raw[key], f"{path}.{key}")
        if has_target(value)
        else _valid(value, hints.get(key, Any), _key_to_change(raw[key], f"{path}.{key}"))
        for key, value in node.items()
        if not key.startswith("_")
    }
    return Call(target, arguments, bool(node.get("_partial_")))


def called(call: Call, more: Mapping[str, Any]) -> Any:
    """What the target returns, or, where `_partial_` says so, the target with its arguments bound.

    Nested calls come first. `more` are arguments that only the caller knows.
    """
    arguments = {
        key: called(value, {}) if isinstance(value, Call) else value
        for key, value in call.arguments.items()
    }
    if call.partial:
        return functools.partial(call.target, **arguments, **more)
    return call.target(**arguments, **more)


def _target(dotted: str, path: str) -> Callable[..., Any]:
    module, _, name = dotted.rpartition(".")
    try:
        target: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: there is no {dotted} ({error})") from error
    return target


def _hints(target: Callable[..., Any]) -> dict[str, Any]:
    """Annotations with what they name; none where a library keeps them for type checkers alone."""
    try:
        return get_type_hints(
            target.__init__ if inspect.isclass(target) else target,
            include_extras=True,
        )
    except NameError:
        return {}


def _hold_against_signature(target: Callable[..., Any], node: Mapping[str, Any], path: str) -> None:
    takes = inspect.signature(target).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values()):
        return
    for key in node:
        if key not in takes and not key.startswith("_"):
            near = get_close_matches(key, takes, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(takes)}"
            raise InputError(f"{path}.{key}: {node['_target_']} has no such argument; {hint}")


def _valid(value: object, hint: Any, key: str) -> Any:
    """The value as its annotation wants it; InputError names the key to change."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    if value == "???":
        raise InputError(f"{key} is missing: give {key}=…")
    try:
        adapter = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
        return adapter.validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Input ")
        raise InputError(f"{key}={value}: it {reason[0].lower()}{reason[1:]}") from error


def _key_to_change(raw: object, path: str) -> str:
    """Where a value is an interpolation, the user changes what it points at."""
    text = str(raw)
    return text[2:-1] if text.startswith(INTERPOLATION) and text.endswith("}") else path
