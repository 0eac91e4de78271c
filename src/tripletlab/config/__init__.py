"""Configs: composed from conf/ by Hydra, checked against the code they name, and built."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tripletlab.config.instantiate import called, checked, has_target
from tripletlab.errors import InputError
from tripletlab.system.processor import resolve_dtype

PACKAGE = Path(__file__).parents[1]


class Composed(NamedTuple):
    """A config as nested dicts, interpolations still in place, and the choice for each noun."""

    config: dict[str, Any]
    choices: dict[str, str]


def folder(name: str) -> Path:
    """`conf` or `sweeps`: inside an installed package, or at the root of the checkout."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parents[1] / name


def groups() -> dict[str, dict[str, str]]:
    """Every noun of conf/ and its choices, each with the comment in its first line."""
    return {
        group.name: {path.stem: describe(path) for path in sorted(group.glob("*.yaml"))}
        for group in sorted(folder("conf").iterdir())
        if group.is_dir()
    }


def describe(path: Path) -> str:
    """The comment in the first line of a YAML file."""
    return path.read_text().partition("\n")[0].removeprefix("#").strip()


def compose(verb: str, overrides: Sequence[str]) -> Composed:
    """The config of a verb with the user's overrides.

    An unknown key, an unknown choice or a malformed override raises InputError.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    _check_choices(overrides)
    try:
        with initialize_config_dir(str(folder("conf")), version_base="1.3"):
            whole = hydra_compose(verb, list(overrides), return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(_one_line(error, verb)) from error
    chosen = {noun: str(choice) for noun, choice in whole.hydra.runtime.choices.items()}
    plain: dict[str, Any] = OmegaConf.to_container(whole, resolve=False)  # type: ignore[assignment]
    del plain["hydra"]
    if "dtype" in plain:  # once for all cells of a sweep, on whatever machine they run
        plain["dtype"] = resolve_dtype(plain["dtype"])
    return Composed(plain, {noun: chosen[noun] for noun in groups() if noun in chosen})


def compose_checked(verb: str, overrides: Sequence[str]) -> Composed:
    """The config of a command, every value compared with the code that it is for."""
    composed = compose(verb, overrides)
    check(composed.config)
    return composed


def show(composed: Composed) -> None:
    """Print a config as YAML."""
    print(yaml.safe_dump(resolved(composed.config), sort_keys=False), end="")


def resolved(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same config with every interpolation replaced by its value."""
    from omegaconf import OmegaConf

    return dict(OmegaConf.to_container(OmegaConf.create(dict(config)), resolve=True))  # type: ignore[arg-type]


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names among the words of a command line, and overrides."""
    names = [word for word in words if "=" not in word]
    return names, [word for word in words if "=" in word]


def parsed(override: str) -> tuple[str, Any]:
    """Key and value of `key=value`, in Hydra's grammar: numbers, [lists], {key: value}, words."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf

    try:
        read = OverridesParser.create().parse_override(override)
    except HydraException as error:
        raise InputError(f"{override}: {str(error).partition(chr(10))[0]}") from error
    if read.is_sweep_override():
        raise InputError(f"{override}: write a list of values as [a,b]")
    value = OmegaConf.create({"value": read.value()})
    return read.key_or_group, OmegaConf.to_container(value)["value"]  # type: ignore[index, call-overload]


def override(key: str, value: object) -> str:
    """`key=value` as Hydra reads it, a word in quotes where it must be."""
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return f"{key}={words[value]}"
    if not isinstance(value, str) or re.fullmatch(r"[\w./-]+", value):
        return f"{key}={value}"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{escaped}'"


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one, keys joined by dots."""
    leaves: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            leaves |= flat(value, f"{prefix}{key}.")
        else:
            leaves[prefix + key] = value
    return leaves


def check(config: Mapping[str, Any]) -> None:
    """Hold every value of every noun against the code it is for, without calling any."""
    plain = resolved(config)
    for noun, node in plain.items():
        if has_target(node):
            checked(node, config[noun], noun)


def build(config: Mapping[str, Any], noun: str, **more: Any) -> Any:
    """Call what the noun's `_target_` names, or, where `_partial_` says so, bind its arguments.

    Nested nouns are built first. `more` are arguments that only the caller knows.
    """
    return called(checked(resolved(config)[noun], config[noun], noun), more)


def _check_choices(overrides: Sequence[str]) -> None:
    known = groups()
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise InputError(
                f"{override!r} is not an override: write key=value, such as margin=0.4"
            )
        if key in known and value not in known[key]:
            raise InputError(f"{override}: no such choice; {key} is one of {', '.join(known[key])}")


def _one_line(error: Exception, verb: str) -> str:
    """Hydra's words about an override, shortened to its first line, with the nearest known key."""
    text = " ".join(str(error).split("\n")[0].split())
    if "Could not override" in text:
        key = text.split("'")[1]
        near = get_close_matches(key, flat(compose(verb, []).config), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"see tripletlab {verb} --help"
        return f"{key}: no such key in the config of {verb}; {hint}"
    return text
