"""YAML files from elsewhere, read within bounds: their size, depth and number of nodes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tripletlab.errors import InputError

LARGEST = 1_000_000  # bytes
MOST = 20_000  # nodes, each alias counted as all that it stands for
DEEPEST = 50  # lists and mappings inside one another


def load_as_conf(text: str) -> Any:
    """YAML as Hydra reads the files of conf/: 1e-4 is a number."""
    from omegaconf import OmegaConf

    return OmegaConf.to_container(OmegaConf.create(text))


def read_yaml(path: Path, load: Callable[[str], Any]) -> dict[str, Any]:
    """What `load` makes of the text of a file that holds a mapping.

    InputError where the file cannot be read, is no mapping, or goes beyond the bounds.
    """
    import yaml
    from omegaconf.errors import OmegaConfBaseException

    try:
        if (size := path.stat().st_size) > LARGEST:
            raise InputError(f"{path}: {size:,} bytes of YAML are too many; {LARGEST:,} may be")
        text = path.read_text(encoding="utf-8")
        _check_bounds(text, path)
        content = load(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, OmegaConfBaseException, ValueError) as error:
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise InputError(f"{path}: {_MAPPING}")
    return content


_MAPPING = "it should hold names and values, as in `name: value`"


def _check_bounds(text: str, path: Path) -> None:
    """InputError for what no reader could hold: it is counted before anything is built."""
    import yaml

    sizes: dict[str, int] = {}  # nodes by anchor
    open_: list[tuple[str | None, int]] = []  # anchors, and the nodes that came before
    nodes = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = nodes - before
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_):
                raise InputError(f"{path}: *{event.anchor} stands inside &{event.anchor}")
            nodes += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.NodeEvent):
            if nodes == 0 and not isinstance(event, yaml.MappingStartEvent):
                raise InputError(f"{path}: {_MAPPING}")
            if isinstance(event, yaml.CollectionStartEvent):
                open_.append((event.anchor, nodes))
            nodes += 1
        if nodes > MOST:
            raise InputError(f"{path}: more than {MOST:,} values, aliases counted in full")
        if len(open_) > DEEPEST:
            raise InputError(f"{path}: more than {DEEPEST} lists and names inside one another")
