"""Overrides: `key=value` as a person writes it, in the grammar that Hydra reads.

Hydra's grammar gives `~`, `#`, `(`, `=`, `$` and every letter beyond a to z a meaning of their own
or none. What it cannot read is quoted as text, so that a path can be written as it is.
"""

import re
from collections.abc import Collection, Sequence
from typing import Any

from tripletlab.errors import InputError

LONGEST = 10_000  # characters; a path has 4,096 at most
DEEPEST = 100  # brackets, which could stand inside one another
LISTS = ("axes", "ablation", "seeds", "columns", "predict")  # keys of a search space
WORD = r"[./-]*(?!(?:true|false|null|nan|inf)$)[a-z_/][\w./-]*"  # text without quotes


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names among the words of a command line, and overrides; a path may have an = in it."""
    names = [word for word in words if "=" not in word or word.startswith(("/", "./", "../"))]
    return names, [word for word in words if word not in names]


def one_name(words: Sequence[str], *, what: str = "name") -> tuple[str | None, list[str]]:
    """At most one name among the words of a command line, and overrides.

    InputError, which calls the names `what`, where there are more.
    """
    names, overrides = split_words(words)
    if len(names) > 1:
        raise InputError(f"{names[1]}: one {what} at a time; {names[0]} is one already")
    return next(iter(names), None), overrides


def key_of(override: str) -> str:
    """What an override changes: `faces.size` of `faces.size=64`, `faces/aligner` of a choice."""
    return override.partition("=")[0]


def noun_of(key: str) -> str:
    """What stands first in a key: `faces` of `faces.size` and of `faces/aligner`."""
    return re.split(r"[./]", key)[0]


def of_nouns(overrides: Sequence[str], nouns: Collection[str]) -> list[str]:
    """The overrides that change one of the nouns, or what is inside it."""
    return [one for one in overrides if noun_of(key_of(one)) in nouns]


def allow_only(overrides: Sequence[str], nouns: Collection[str], *, command: str) -> None:
    """InputError for an override that the command would not read."""
    for one in overrides:
        if one not in of_nouns(overrides, nouns):
            raise InputError(
                f"{one}: it has no effect on tripletlab {command}, which reads"
                f" {', '.join(sorted(nouns))} alone"
            )


def parsed(override: str) -> tuple[str, Any]:
    """Key and value of `key=value`, in Hydra's grammar: numbers, [lists], {key: value}, words."""
    from omegaconf import OmegaConf

    read = _read(readable(override))
    value = OmegaConf.create({"value": read.value()}, flags={"allow_objects": True})
    return read.key_or_group, OmegaConf.to_container(value)["value"]  # type: ignore[index, call-overload]


def override(key: str, value: object) -> str:
    """`key=value` as Hydra reads it, text in quotes where it must be."""
    return f"{key}={_written(value)}"


def readable(override: str) -> str:
    """The override in Hydra's grammar; what the grammar cannot read becomes quoted text.

    InputError where it is no override at all, or names several values.
    """
    key, equals, value = override.partition("=")
    if len(override) > LONGEST:
        raise InputError(f"{key[:80]}: an override of {len(override):,} characters is too long")
    if value.count("[") + value.count("{") > DEEPEST:
        raise InputError(f"{key[:80]}=…: more than {DEEPEST} brackets in one override")
    if not equals or not key:
        raise InputError(f"{override!r} is not an override: write key=value, such as margin=0.4")
    if not re.fullmatch(r"\+?[A-Za-z_][\w./]*", key):
        raise InputError(f"{key}: not a key; write key=value, such as margin=0.4")
    if value.startswith("[") and value.endswith("]") and not _is_read(override):
        elements = [one.strip() for one in _elements(value[1:-1])]
        override = f"{key}=[{','.join(_element(one) for one in elements if one)}]"
    if not _is_read(override):
        override = f"{key}={_quoted(value)}"
    if not _is_read(override):
        raise InputError(f"{key}: not a key; write key=value, such as margin=0.4")
    if _read(override).is_sweep_override():
        of_space = noun_of(key) in LISTS
        instead = f"'{key}=[{value}]'" if of_space else f"tripletlab sweep 'axes.{key}=[{value}]'"
        raise InputError(
            f"{override}: several values {'are a list' if of_space else 'make a sweep'}: {instead};"
            f" text with a comma needs quotes: {key}=\"'{value}'\""
        )
    return override


def _read(override: str) -> Any:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create().parse_override(override)


def _is_read(override: str) -> bool:
    from hydra.errors import HydraException

    try:
        _read(override)
    except (HydraException, ValueError, RecursionError):
        return False
    return True


def _elements(text: str) -> list[str]:
    """A list's text split at its commas, but not at those inside quotes."""
    parts = re.findall(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,])+""", text)
    return [str(part) for part in parts]


def _element(text: str) -> str:
    return text if _is_read(f"x=[{text}]") else _quoted(text)


def _written(value: object) -> str:
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    if not isinstance(value, str) or re.fullmatch(WORD, value, re.ASCII | re.IGNORECASE):
        return str(value)
    return _quoted(value, special=r"'|\$\{")  # an interpolation too would be read


def _quoted(text: str, special: str = "'") -> str:
    """Text in quotes, with `special` and what would end the quotes escaped."""
    parts = re.sub(rf"(\\*)({special}|$)", lambda m: m[1] * 2 + (m[2] and "\\" + m[2]), text)
    return f"'{parts}'"
