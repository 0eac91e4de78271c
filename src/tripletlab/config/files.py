"""The files of conf/ and sweeps/: where they are, what can be chosen, which callables they name."""

import functools
import re
import sys
from pathlib import Path

from tripletlab.config.yaml_files import load_as_conf, read_yaml
from tripletlab.errors import InputError
from tripletlab.system.paths import expanded

PACKAGE = Path(__file__).parents[1]
TARGET = r"""_target_["']?\s*:\s*["']?([\w.]+)"""  # YAML may quote key and value
_own: list[Path] = []


def folder(name: str) -> Path:
    """`conf` or `sweeps`: inside an installed package, or at the root of the checkout."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parents[1] / name


def use(own: Path) -> None:
    """Take choices from one's own conf folder too, and import modules from the folder it lies in.

    Its choices go before tripletlab's of the same name. InputError where there is no such folder,
    or a file in it is not YAML.
    """
    own = expanded(own).resolve()
    if not own.is_dir():
        raise InputError(f"--config-dir {own}: no such folder")
    for path in sorted(own.rglob("*.yaml")):
        read_yaml(path, load_as_conf)
    if own not in _own:
        _own.append(own)
        sys.path.insert(0, str(own.parent))
        targets.cache_clear()


def own_folders() -> list[Path]:
    """The conf folders that `use` has added."""
    return list(_own)


def own_code() -> list[Path]:
    """The files of the modules that were imported from beside the folders that `use` has added."""
    places = {conf.parent.joinpath(*name.split(".")) for conf in _own for name in sys.modules}
    files = (file for place in places for file in (place / "__init__.py", Path(f"{place}.py")))
    return sorted(file for file in files if file.is_file())


def groups() -> dict[str, dict[str, str]]:
    """Every noun of conf/ and its choices, each with the comment in its first line."""
    nouns = {one.name for conf in _folders() for one in conf.iterdir() if one.is_dir()}
    return {
        noun: {path.stem: first_comment(path) for path in paths}
        for noun in sorted(nouns)
        if (paths := _choices(noun))
    }


def defaults(root: str) -> dict[str, str]:
    """The choice of each noun in a root file of conf/ and in those that it builds on."""
    import yaml

    chosen: dict[str, str] = {}
    for entry in yaml.safe_load((folder("conf") / f"{root}.yaml").read_text("utf-8"))["defaults"]:
        if isinstance(entry, dict):
            chosen |= entry
        elif entry != "_self_":
            chosen |= defaults(entry)
    return chosen


def choices_of(group: str) -> list[str]:
    """The choices of a noun, or of one inside it such as `faces/aligner`; none of anything else."""
    return [path.stem for path in _choices(group)] if group else []


def first_comment(path: Path) -> str:
    """The comment that a YAML file begins with, Hydra's `@package` aside; "" without one."""
    lines = path.read_text("utf-8").splitlines()
    first = next((one for one in lines if not one.startswith("# @package")), "")
    return first.removeprefix("#").strip() if first.startswith("#") else ""


@functools.cache
def targets() -> frozenset[str]:
    """Every `_target_` that conf/ names: what a config may call, wherever it comes from.

    A config may lie beside someone else's run or bundle, and reading it must not run their code.
    """
    lines = (
        line.partition("#")[0]
        for conf in _folders()
        for path in conf.rglob("*.yaml")
        for line in path.read_text("utf-8").splitlines()
    )
    return frozenset(name for line in lines for name in re.findall(TARGET, line))


def _folders() -> list[Path]:
    return [folder("conf"), *_own]


def _choices(group: str) -> list[Path]:
    """Their files by name, each once."""
    files = {path.stem: path for conf in _folders() for path in (conf / group).glob("*.yaml")}
    return [files[name] for name in sorted(files)]
