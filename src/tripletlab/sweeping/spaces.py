"""Search spaces: one file each in sweeps/, axes of values that span a grid."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tripletlab.errors import InputError


@dataclass(frozen=True)
class Space:
    """A grid: config keys and the values each takes, in the file's order."""

    name: str
    axes: dict[str, list[Any]]

    def cells(self) -> list[dict[str, Any]]:
        """Every combination, the last axis fastest."""
        return [
            dict(zip(self.axes, values, strict=True))
            for values in itertools.product(*self.axes.values())
        ]


def read_space(path: Path) -> Space:
    """Read `axes: {key: [values]}`; InputError says what is wrong with the file."""
    if not path.is_file():
        names = ", ".join(sorted(other.stem for other in path.parent.glob("*.yaml"))) or "none"
        raise InputError(f"{path}: no such space; {path.parent} has {names}")
    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    axes = content.get("axes") if isinstance(content, dict) else None
    if not isinstance(axes, dict) or not axes:
        raise InputError(f"{path}: write `axes:` and under it a list of values for each key")
    for key, values in axes.items():
        if not isinstance(values, list) or not values:
            raise InputError(f"{path}: axis {key} needs a list of values, such as [0.2, 0.4]")
    return Space(path.stem, axes)


def cell_name(cell: dict[str, Any]) -> str:
    """The values alone, as the paper names its models: `semihard 0.2`."""
    return " ".join(str(value) for value in cell.values())
