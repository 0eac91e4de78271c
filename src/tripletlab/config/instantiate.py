"""Components: nodes of a config that name a callable (`_target_`) and its arguments.

The callable's annotations say which values are allowed (`Annotated[float, Field(gt=0)]`). Every
value is validated against them when the config is read, before any work begins.
"""

import functools
import importlib
import inspect
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_type_hints

from tripletlab.config.files import targets
from tripletlab.errors import InputError

INTERPOLATION = "${"
DEEPEST = 20  # nodes inside one another; conf/ has three


@dataclass(frozen=True)
class Component:
    """A callable and its validated arguments; nested components are arguments in turn.

    `settings` is the node as it was written, resolved, with `_target_`: what is recorded of it.
    """

    target: Callable[..., Any]
    arguments: dict[str, Any]
    partial: bool
    settings: dict[str, Any]

    def build(self, **more: Any) -> Any:
        """Call the target, or, where the node is `_partial_`, bind its arguments.

        Nested components are built first. `more` are arguments that only the caller knows; they
        take the place of the node's own. InputError where the target takes others.
        """
        arguments = {
            key: value.build() if isinstance(value, Component) else value
            for key, value in {**self.arguments, **more}.items()
        }
        if self.partial:
            return functools.partial(self.target, **arguments)
        _check_call(self.target, arguments)
        return self.target(**arguments)

    def __getitem__(self, key: str) -> Any:
        """A validated argument; KeyError where the node has none of that name."""
        return self.arguments[key]


def has_target(node: object) -> bool:
    """Whether the node names a callable."""
    return isinstance(node, Mapping) and "_target_" in node


def read_component(
    node: Mapping[str, Any],
    path: str,
    *,
    raw: Mapping[str, Any] | None = None,
    allowed: Collection[str] | None = None,
    depth: int = 0,
) -> Component:
    """The component of a resolved node; `path` is its dotted key.

    `raw` is the node before its interpolations were resolved: it names the key to change. Only a
    target in `allowed` may be named, conf/'s own by default. InputError names the key of a value
    that the target cannot take.
    """
    raw = node if not isinstance(raw, Mapping) else raw
    if depth > DEEPEST:
        raise InputError(f"{path[:80]}…: more than {DEEPEST} nodes inside one another")
    named = node["_target_"] if has_target(node) else None
    target = _target(named, path, targets() if allowed is None else allowed)
    hints = _hints(target)
    _check_signature(target, node, path)
    arguments = {
        key: read_component(
            value, f"{path}.{key}", raw=raw.get(key), allowed=allowed, depth=depth + 1
        )
        if has_target(value)
        else validated(
            value, hints.get(key, Any), _key_to_change(raw.get(key, value), f"{path}.{key}")
        )
        for key, value in node.items()
        if not key.startswith("_")
    }
    return Component(target, arguments, bool(node.get("_partial_")), dict(node))


def validated(value: object, hint: Any, key: str) -> Any:
    """The value as its annotation wants it; InputError names the key to change."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    if value == "???":
        raise InputError(f"{key} is missing: give {key}=…")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{key}={value}: it should be a finite number")
    try:
        adapter = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
        strict = True if isinstance(value, bool) else None  # else true would be the number 1
        return adapter.validate_python(value, strict=strict)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Input ")
        raise InputError(f"{key}={value}: it {reason[0].lower()}{reason[1:]}") from error


def _target(dotted: object, path: str, allowed: Collection[str]) -> Callable[..., Any]:
    if not isinstance(dotted, str) or dotted not in allowed:
        raise InputError(f"{path}._target_={dotted}: no file of conf/ names this callable")
    module, _, name = dotted.rpartition(".")
    try:
        target: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: {dotted} cannot be imported ({error})") from error
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


def _check_signature(target: Callable[..., Any], node: Mapping[str, Any], path: str) -> None:
    takes = inspect.signature(target).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values()):
        return
    for key in node:
        if key not in takes and not key.startswith("_"):
            near = get_close_matches(key, takes, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(takes)}"
            raise InputError(f"{path}.{key}: {node['_target_']} has no such argument; {hint}")


def _check_call(target: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Code of one's own may want an argument that its file lacks, or not take what it is given."""
    try:
        inspect.signature(target).bind(**arguments)
    except TypeError as error:
        hint = "; give it in the file, or `_partial_: true` where this is to be called later"
        raise InputError(
            f"{target.__module__}.{target.__qualname__}: {error}"
            f"{hint if 'missing' in str(error) else ''}"
        ) from error


def _key_to_change(raw: object, path: str) -> str:
    """Where a value is an interpolation, the user changes what it points at."""
    text = str(raw)
    whole = text.startswith(INTERPOLATION) and text.endswith("}") and ":" not in text
    return text[2:-1] if whole else path
