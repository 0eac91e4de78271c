"""The files of conf/ and sweeps/: where they are, what can be chosen, which callables they name."""

import functools
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


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


def choices_of(group: str) -> list[str]:
    """The choices of a noun, or of one inside it such as `faces/aligner`; none of anything else."""
    return sorted(path.stem for path in (folder("conf") / group).glob("*.yaml") if group)


def describe(path: Path) -> str:
    """The comment in the first line of a YAML file."""
    return path.read_text().partition("\n")[0].removeprefix("#").strip()


@functools.cache
def targets() -> frozenset[str]:
    """Every `_target_` that conf/ names: what a config may call, wherever it comes from.

    A config may lie beside someone else's run or bundle, and reading it must not run their code.
    """
    lines = (
        line.strip()
        for path in folder("conf").rglob("*.yaml")
        for line in path.read_text().splitlines()
    )
    key = "_target_:"
    return frozenset(line.removeprefix(key).strip() for line in lines if line.startswith(key))
