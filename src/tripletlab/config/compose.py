"""Compose a config from conf/ by Hydra, under overrides; resolve and validate it, once."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tripletlab.config.files import folder, groups, own_folders
from tripletlab.config.override_checks import check_additions, check_average, check_overrides
from tripletlab.config.overrides import allow_only, key_of, noun_of, override, readable
from tripletlab.config.places import SQLITE
from tripletlab.config.run_config import (
    CLASSES,
    Config,
    EvaluateConfig,
    StudiesConfig,
    read_config,
)
from tripletlab.errors import InputError
from tripletlab.system.caches import user_cache
from tripletlab.system.paths import expanded
from tripletlab.system.processor import resolve_dtype
from tripletlab.system.redaction import redacted

Tree = dict[str, Any]  # nested dicts, as YAML has them
HERE = ("tracking", "preparation")  # belong to this machine and not to a run


@dataclass(frozen=True)
class Composition:
    """What Hydra made of a root file of conf/: interpolations in place, nothing validated."""

    root: str
    raw: Tree
    choices: dict[str, str]  # by noun

    def replaced(self, values: Mapping[str, Any]) -> "Composition | None":
        """The same with other plain values by their dotted keys; None where a key is not there."""
        raw = copy.deepcopy(self.raw)
        if all(_replace(raw, key, value) for key, value in values.items()):
            return Composition(self.root, raw, self.choices)
        return None

    def part(self, root: str) -> "Composition":
        """What another root file, such as train of sweep, has of it."""
        names = CLASSES[root].nouns()
        raw = {name: node for name, node in self.raw.items() if name in names}
        choices = {key: choice for key, choice in self.choices.items() if noun_of(key) in names}
        return Composition(root, raw, choices)

    def tree(self) -> Tree:
        """Nested dicts with every interpolation resolved, `~` expanded, and `auto` decided."""
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        OmegaConf.register_new_resolver("user_cache", lambda: str(user_cache()), replace=True)
        try:
            tree: Any = OmegaConf.to_container(OmegaConf.create(self.raw), resolve=True)
        except OmegaConfBaseException as error:
            raise InputError(" ".join(str(error).split("\n")[0].split())) from error
        return dict(_settled(tree))

    def config(self) -> Any:
        """The typed, frozen config; InputError names the key of a value that cannot be."""
        return read_config(CLASSES[self.root], self.tree(), raw=self.raw, choices=self.choices)


def compose(root: str, overrides: Sequence[str]) -> Any:
    """The config of a root file of conf/ with the user's overrides, resolved and validated.

    An unknown key, an unknown choice, a malformed override or a value that its component cannot
    take raises InputError.
    """
    return composition(root, overrides).config()


def compose_studies(overrides: Sequence[str], *, command: str) -> StudiesConfig:
    """The part of a sweep's config that says where sweeps are kept; it imports no network's code.

    InputError for an override of anything else.
    """
    allow_only(overrides, StudiesConfig.nouns(), command=command)
    config: StudiesConfig = composition("sweep", overrides).part("studies").config()
    return config


def composition(root: str, overrides: Sequence[str]) -> Composition:
    """Compose without resolving or validating."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    words = [readable(one) for one in overrides]
    check_overrides(overrides, root)
    try:
        with initialize_config_dir(str(folder("conf")), version_base="1.3"):
            whole = hydra_compose(root, [*_search_path(), *words], return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(_one_line(error, root)) from error
    chosen = {noun: str(choice) for noun, choice in whole.hydra.runtime.choices.items()}
    raw: Tree = OmegaConf.to_container(whole, resolve=False)  # type: ignore[assignment]
    del raw["hydra"]
    check_additions(overrides, raw, root)
    if root == "train":
        check_average(set(map(key_of, overrides)), raw["optimizer"])
    nouns = groups()
    choices = {key: chosen[key] for key in sorted(chosen) if noun_of(key) in nouns}
    return Composition(root, raw, choices)


def _search_path() -> list[str]:
    """Where Hydra looks for choices beside conf/."""
    places = [f"file://{place}" for place in own_folders()]
    return [override("hydra.searchpath", places)] if places else []


def show(
    root: str, overrides: Sequence[str], *, check: Callable[[Any], None] = lambda config: None
) -> None:
    """Print the config that would run, as YAML, without the passwords in it.

    `check` raises InputError where the validated config cannot run.
    """
    import yaml

    composed = composition(root, overrides)
    check(composed.config())
    text = yaml.safe_dump(composed.tree(), sort_keys=False, allow_unicode=True)
    print(redacted(text), end="")


def recorded(
    tree: Mapping[str, Any], choices: Mapping[str, str], overrides: Sequence[str]
) -> EvaluateConfig:
    """What an evaluation needs of the config that a run recorded, under the overrides given now.

    A key or choice that is given replaces that of the run, and with it what the choice or an
    interpolation changes; everything else is the run's own. Where runs are kept, and where photos
    are prepared, is not part of a run, and comes from conf/, as do keys that the run did not know
    yet.
    """
    nouns, given = EvaluateConfig.nouns(), {key_of(one) for one in overrides}
    own = [f"{noun}={choices[noun]}" for noun in choices if noun in nouns - given]
    before, now = composition("evaluate", own), composition("evaluate", [*own, *overrides])
    of_run = {key: node for key, node in tree.items() if key not in HERE}
    merged = _merged(of_run, before.tree(), now.tree(), {key.replace("/", ".") for key in given})
    return read_config(EvaluateConfig, merged, raw=merged, choices=now.choices)


def _merged(own: Any, before: Any, now: Any, given: set[str], path: str = "") -> Any:
    """`own`, but for the keys that are given and what differs between `before` and `now`."""
    if path in given or not all(isinstance(one, Mapping) for one in (own, before, now)):
        return now if path in given or before != now else own
    if before.get("_target_") != now.get("_target_"):
        return now
    same = own.get("_target_") == now.get("_target_")  # else its keys are of another component
    prefix = f"{path}." if path else ""
    merged = dict(own) if path else {}
    for key, value in now.items():
        inner = f"{prefix}{key}"
        if key in own and (same or _is_given(inner, given)):
            merged[key] = _merged(own[key], before.get(key), value, given, inner)
        elif same or _is_given(inner, given):
            merged[key] = value
    return merged


def _is_given(path: str, given: set[str]) -> bool:
    return any(f"{one}.".startswith(f"{path}.") for one in given)


def _replace(tree: Tree, key: str, value: Any) -> bool:
    *way, last = key.split(".")
    node: Any = tree
    for part in way:
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict) or last not in node or isinstance(node[last], dict | list):
        return False
    node[last] = value
    return True


def _settled(node: Any) -> Any:
    """The node with `~` expanded, in paths of SQLite files too, and a `dtype` of `auto` resolved.

    This is decided once for all trials of a sweep, whatever machine they run on.
    """
    if isinstance(node, Mapping):
        settled = {key: _settled(value) for key, value in node.items()}
        if "dtype" in settled:
            settled["dtype"] = resolve_dtype(settled["dtype"])
        return settled
    if isinstance(node, list):
        return [_settled(value) for value in node]
    if not isinstance(node, str):
        return node
    before = SQLITE if node.startswith(SQLITE) else ""
    path = node.removeprefix(before)
    return f"{before}{expanded(path)}" if path == "~" or path.startswith("~/") else node


def _one_line(error: Exception, root: str) -> str:
    """The first line of Hydra's message about an override; for an unknown key, the nearest one."""
    text = " ".join(str(error).split("\n")[0].split())
    if "Could not override" in text:
        key = text.split("'")[1]
        # without the key itself, which another choice has, and Hydra's own, such as _target_
        known = {one for one in Config.flat(composition(root, []).raw) if "._" not in one} - {key}
        near = get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"see tripletlab {root} --help"
        return f"{key}: no such key in the config of {root}; {hint}"
    return text
