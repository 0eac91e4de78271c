"""What a sweep is asked to do: a space, a config for each of its points, and what they cost."""

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.sweeping.samplers import make_pruner, make_sampler
from tripletlab.sweeping.spaces import Point, Space, Value, read_space
from tripletlab.sweeping.study import digest
from tripletlab.system.progress import cores

DEFAULT = "margin_miner"
OWN = ("engine", "studies", "retries")  # the sweep's own keys; no run is told of them
SHARED = ("photos", "verification", "faces", "data", "tracking")  # the same for all its runs
IMAGES_PER_SECOND = 150  # a core's, nn4_small2_half in float32 with AVX2; 95 to 220 were seen
BESIDE = 20  # seconds a run needs beside its training


@dataclass(frozen=True)
class Plan:
    """A space and the user's overrides; `base` is the config of conf/sweep.yaml with them."""

    space: Space
    overrides: tuple[str, ...]
    base: config.Composed

    @property
    def plain(self) -> dict[str, Any]:
        """The base config."""
        return self.base.config

    def composed(self, point: Mapping[str, Any], seed: int | None) -> config.Composed:
        """The config of a run.

        Hydra composes each combination of choices once, in a fifth of a second; plain values are
        set in what it made.
        """
        changes = {**point, **({} if seed is None else {"seed": seed})}
        choices = {key: value for key, value in changes.items() if key in self.base.choices}
        words = [config.override(key, value) for key, value in choices.items()]
        composed = _compose((*self.overrides, *words))
        plain = copy.deepcopy(composed.config)
        for key in changes.keys() - choices.keys():
            if not _set(plain, key, changes[key]):  # Hydra says what is wrong
                words = [config.override(name, value) for name, value in changes.items()]
                return _without_own(_compose((*self.overrides, *words)))
        return _without_own(composed._replace(config=plain))

    def check(self) -> None:
        """Hold every value of every axis, and the sampler and pruner, against what they are for."""
        make_sampler(self.space, 0)
        make_pruner(self.space)
        config.check(self.plain)
        for corner in self.space.corners():
            plain = self.composed(corner, None).config
            config.check(plain)
            if "flops" in self.space.objectives and not _counted(plain["architecture"]):
                from tripletlab.experiment.components import check_operations

                check_operations(plain)

    def recipe(self) -> str:
        """Identifies space and config; how many trials are drawn and what is shown may change."""
        shape = self.space.model_dump(exclude={"name", "trials", "columns"})
        base = config.resolved(_without_own(self.base).config)
        about = {key: value for key, value in base.items() if key not in ("tracking", "data")}
        return digest(shape, about)

    def title(self, point: Point, seed: int | None) -> str:
        """A run's name."""
        name = self.space.title(point)
        return name if seed is None else f"{name}, seed {seed}"

    def minutes(self, *, runs: int, workers: int) -> float:
        """About how long so many runs take here, without a GPU."""
        epochs, batches = self.plain["fit"]["epochs"], self.plain["batches"]
        images: int = epochs * batches["steps"] * batches["people"] * batches["photos"]
        return runs * (images / (IMAGES_PER_SECOND * cores()) + BESIDE / workers) / 60

    def outline(self, *, workers: int) -> str:
        """What will be done, and about how long it takes."""
        space, batches = self.space, self.plain["batches"]
        what = (
            ", ".join(space.title(cell) for cell in space.cells())
            if space.sampler is None and space.runs <= 12
            else f"{space.points} points over {', '.join(space.axes)}"
        )
        seeds = f", each with the seeds {', '.join(map(str, space.seeds))}" if space.seeds else ""
        minutes = max(1, round(self.minutes(runs=space.runs, workers=workers)))
        crew = f" by {workers} workers" if workers > 1 else ""
        return (
            f"Sweep {space.name}: {space.runs} runs ({what}{seeds}), each at most"
            f" {self.plain['fit']['epochs']} epochs of {batches['steps']} batches of"
            f" {batches['people'] * batches['photos']} faces.\nAbout {minutes} minutes{crew} on"
            f" {cores()} core{'s' * (cores() > 1)} without a GPU, after the photos are prepared."
            " Ctrl-C stops it, and the same command goes on."
        )


def read_plan(words: Sequence[str]) -> Plan:
    """A plan from the command line: the name or file of a space, and key=value for it and conf/.

    `axes.KEY`, `trials`, `seeds`, `sampler`, `pruner` and `objectives` change the space, every
    other key the config. InputError where they cannot go together.
    """
    names, settings = config.split_words(words)
    if len(names) > 1:
        raise InputError(f"{names[1]}: one space at a time; {names[0]} is one already")
    changes, overrides = {}, []
    for setting in settings:
        if setting.partition("=")[0].split(".")[0] in Space.model_fields:
            key, value = config.parsed(setting)
            changes[key] = value
        else:
            overrides.append(setting)
    space = read_space(space_path(names[0] if names else DEFAULT), changes)
    _hold_together(space, overrides)
    return Plan(space, tuple(overrides), config.compose("sweep", overrides))


def space_path(name: str) -> Path:
    """A file as it is named, or one of sweeps/."""
    path = Path(name).expanduser()
    return path if path.suffix else config.folder("sweeps") / f"{name}.yaml"


def _hold_together(space: Space, overrides: Sequence[str]) -> None:
    for key in space.axes:
        noun = key.split(".")[0]
        if noun in OWN + SHARED:
            raise InputError(
                f"axis {key} of {space.name}: all runs of a sweep share {noun}, so that they can be"
                f" compared; give {key}=… to one sweep for each value"
            )
    for override in overrides:
        key = override.partition("=")[0]
        if key in space.axes:
            raise InputError(f"{key} is an axis of {space.name}; give axes.{key}=[…]")
        if key == "seed" and space.seeds:
            raise InputError(f"{space.name} has seeds of its own; give seeds=[…]")


@functools.lru_cache(maxsize=256)
def _compose(overrides: tuple[str, ...]) -> config.Composed:
    return config.compose("sweep", overrides)


def _set(plain: dict[str, Any], key: str, value: Value) -> bool:
    """Replace a plain value by its dotted key; False when there is none."""
    *way, last = key.split(".")
    node: Any = plain
    for part in way:
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict) or last not in node or isinstance(node[last], dict | list):
        return False
    node[last] = value
    return True


def _counted(architecture: Mapping[str, Any]) -> bool:
    """One of tripletlab's own tables, whose operations are always known."""
    targets = architecture["_target_"], architecture.get("table", {}).get("_target_", "")
    return all(target.startswith("tripletlab.architectures.") for target in targets)


def _without_own(composed: config.Composed) -> config.Composed:
    kept = {key: value for key, value in composed.config.items() if key not in OWN}
    choices = {noun: one for noun, one in composed.choices.items() if noun not in OWN}
    return config.Composed(kept, choices)
