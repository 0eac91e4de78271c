"""The plan of a sweep: a space, a config for each of its points, and about how long it takes."""

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tripletlab import config
from tripletlab.config import Component, RunConfig, SweepConfig
from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import check_columns, check_objectives, final_table
from tripletlab.sweeping.recipe import applicable, as_overrides, composed, without_replaced
from tripletlab.sweeping.samplers import try_out
from tripletlab.sweeping.space_files import read_space
from tripletlab.sweeping.spaces import Space
from tripletlab.system.paths import expanded
from tripletlab.system.processor import cores, instructions
from tripletlab.system.provenance import json_digest
from tripletlab.training import backend

DEFAULT = "margin_miner"
SWEEP_KEYS = ("engine", "studies", "retries")  # of the sweep alone; they are not in a run's config
# The same for all runs
SHARED_KEYS = ("photos", "verification", "faces", "hygiene", "preparation", "data", "tracking")
PATHS = (  # of photos and lists, which can be written in several ways
    *(("photos", "detected"), ("photos", "cropped"), ("photos", "path")),
    *(("verification", "path"), ("hygiene", "exclude")),
)
# On one core, nn4_small2_half in float32: 95 to 220 measured with AVX2, 520 to 780 with AVX-512
IMAGES_PER_SECOND, IMAGES_PER_SECOND_AVX512 = 150, 600
SECONDS_BESIDE = 20  # that a run needs in addition to its training


@dataclass(frozen=True)
class Plan:
    """A space and the user's overrides; `base` is conf/sweep.yaml under these overrides."""

    space: Space
    overrides: tuple[str, ...]
    base: SweepConfig

    def run_config(self, point: Mapping[str, Any], seed: int | None) -> RunConfig:
        """The config of the run of a point and a seed.

        Hydra takes a fifth of a second, so it composes each combination of choices once; plain
        values are replaced in the result.
        """
        changes = {**point, **({} if seed is None else {"seed": seed})}
        choices = {key: value for key, value in changes.items() if key in self.base.choices}
        # In a grid, such a key is refused: the other points would not have it
        replacing = choices if self.space.ablation else {}
        recipe = without_replaced(self.overrides, changes, replacing)
        chosen = composed((*recipe, *as_overrides(choices)))
        values = {key: value for key, value in changes.items() if key not in choices}
        # Where a key does not exist, Hydra's error names it
        changed = chosen.replaced(values) or composed((*recipe, *as_overrides(changes)))
        made: RunConfig = changed.part("train").config()
        return made

    def check(self) -> None:
        """InputError where a value of an axis, the sampler or the pruner cannot be used."""
        from tripletlab.experiment.components import check_operations, check_triplets

        try_out(self.space)
        if "optimizer" not in self.space.axes:
            given = {*map(config.key_of, self.overrides), *self.space.axes}
            config.check_average(given, self.base.tree["optimizer"])
        recipe = self.run_config({}, None).tree if self.space.ablation else None
        for corner in self.space.corners():
            try:
                run = self.run_config(corner, None)
                check_triplets(run)
            except InputError as error:
                if len(corner) == 1:
                    raise
                raise InputError(f"{error} (in {corner}; `when` restricts an axis)") from error
            if run.tree == recipe:
                change = self.space.title(corner)
                raise InputError(f"{self.space.name}: {change} changes nothing in this recipe")
            if "cost/flops" in self.space.objectives and not _has_known_operations(
                run.architecture
            ):
                check_operations(run)

    def recipe(self) -> str:
        """Identifies space and config; the number of trials and the columns may change."""
        shape = self.space.model_dump(exclude={"name", "trials", "columns", "predict"})
        for key in ("axes", "objectives"):  # the places of points and Optuna's directions: in order
            shape[key] = list(shape[key].items())
        own = (*SWEEP_KEYS, "preparation", "tracking", "data")
        about = {
            key: _identity(getattr(self.base, key)) for key in self.base.nouns() if key not in own
        }
        for drawn in (about["photos"], about["verification"]):
            drawn.pop("folder", None)  # where photos are drawn, which is inside `data`
        for noun, key in PATHS:
            about[noun] |= {key: _absolute(about[noun].get(key))}
        return json_digest(shape, about)

    @property
    def epochs(self) -> int:
        """How many epochs a run has at most."""
        axis = self.space.axes.get("fit.epochs")
        own = [] if axis is None else [one for one in axis.ends() if isinstance(one, int)]
        most: int = max(own, default=0) or self.base.fit["epochs"]
        return most

    @property
    def batch_size(self) -> int:
        """How many faces a batch has: of people × photos, or of mined triplets."""
        batches = self.base.batches
        triplets: int | None = batches.arguments.get("triplets")
        people_by_photos: int = batches["people"] * batches["photos"]
        return 3 * triplets if triplets else people_by_photos

    def minutes(self, *, runs: int, workers: int) -> float:
        """Estimated minutes for so many runs on this machine, without a GPU."""
        images: int = self.epochs * self.base.batches["steps"] * self.batch_size
        speed = IMAGES_PER_SECOND_AVX512 if "avx512f" in instructions() else IMAGES_PER_SECOND
        return runs * (images / (speed * cores()) + SECONDS_BESIDE / workers) / 60

    def outline(self, *, workers: int) -> str:
        """What will run, and about how long it takes."""
        space = self.space
        what = (
            ", ".join(space.title(cell) for cell in space.cells())
            if space.sampler is None and space.runs <= 12
            else f"{space.points} point{'s' * (space.points > 1)} over {', '.join(space.axes)}"
        )
        seeds = f", each with seeds {', '.join(map(str, space.seeds))}" if space.seeds else ""
        epochs = self.epochs
        dtype = "" if "dtype" in space.axes else f", in {self.base.dtype}"
        minutes = round(self.minutes(runs=space.runs, workers=workers))
        takes = f"About {minutes} minutes" if minutes > 1 else "About a minute"
        by = f" with {workers} workers" if workers > 1 else ""
        return (
            f"Sweep {space.name}: {space.runs} run{'s' * (space.runs > 1)} ({what}{seeds}), each at"
            f" most {epochs} epoch{'s' * (epochs > 1)} of {self.base.batches['steps']}"
            f" batches of {self.batch_size} faces{dtype}.\n{takes}{by} on"
            f" {cores()} core{'s' * (cores() > 1)} without a GPU, once the photos are prepared."
            " Ctrl-C stops the sweep; the same command continues it."
        )


def read_plan(words: Sequence[str], *, training: bool = True) -> Plan:
    """A plan from the command line: the name or file of a space, and overrides as key=value.

    `axes.KEY`, `ablation.KEY`, `trials`, `seeds`, `sampler`, `pruner`, `objectives`, `columns` and
    `predict` change the space, every other key the config. What the file of the space has and does
    not apply to the recipe is left out (see `applicable`). Without `training` it is to be printed
    alone (see backend.load). InputError where the words contradict each other.
    """
    name, settings = config.one_name(words, what="space")
    changes, overrides = {}, []
    for setting in settings:
        if config.noun_of(config.key_of(setting)) in Space.model_fields:
            key, value = config.parsed(setting)
            changes[key] = value
        else:
            overrides.append(setting)
    space = read_space(space_path(name or DEFAULT), changes)
    _check_keys(space, overrides)
    backend.load(training=training)  # before the config, whose validation imports Keras
    base: SweepConfig = config.compose("sweep", overrides)
    table = final_table(base.metrics)
    check_objectives(space.objectives, table)
    check_columns(space.columns, table)
    plan = Plan(space, tuple(overrides), base)
    given = space.axes if changes.keys() & {"axes", "ablation"} else _axes_of(changes)
    applying = applicable(
        space, plan.overrides, given=given, tree_of=lambda point: plan.run_config(point, None).tree
    )
    return dataclasses.replace(plan, space=applying)


def space_path(name: str) -> Path:
    """The file of that name in sweeps/; the path itself where it has a suffix, or names a folder,
    then with or without .yaml."""
    path = expanded(name)
    if path.suffix or ("/" in name and path.is_file()):
        return path
    return Path(f"{path}.yaml") if "/" in name else config.folder("sweeps") / f"{name}.yaml"


def _axes_of(changes: Iterable[str]) -> set[str]:
    """The axes that these keys replace."""
    return {key.removeprefix("axes.").removeprefix("ablation.") for key in changes}


def _check_keys(space: Space, overrides: Sequence[str]) -> None:
    for key in space.axes:
        noun = config.noun_of(key)
        if noun in SWEEP_KEYS + SHARED_KEYS:
            raise InputError(
                f"axis {key} of {space.name}: all runs of a sweep share {noun}, so that they can be"
                f" compared; run one sweep for each value of {key}"
            )
    for override in overrides:
        key = config.key_of(override)
        if key in space.axes and not space.ablation:
            raise InputError(f"{key} is an axis of {space.name}; give axes.{key}=[…]")
        if key == "seed" and space.seeds:
            raise InputError(f"{space.name} has its own seeds; give seeds=[…]")


def _identity(value: Any) -> Any:
    """Validated values as plain ones: 12.0 epochs are 12."""
    if isinstance(value, Component):
        names = {"_target_": value.settings["_target_"], "_partial_": value.partial}
        return names | _identity(value.arguments)
    if isinstance(value, Mapping):
        return {key: _identity(one) for key, one in value.items()}
    return [_identity(one) for one in value] if isinstance(value, list | tuple) else value


def _absolute(path: Any) -> Any:
    if isinstance(path, list):
        return [_absolute(one) for one in path]
    return os.path.abspath(path) if isinstance(path, str) else path


def _has_known_operations(architecture: Component) -> bool:
    """The network comes from one of tripletlab's tables, whose operations can all be counted."""
    settings = architecture.settings
    targets = settings["_target_"], settings.get("table", {}).get("_target_", "")
    return all(target.startswith("tripletlab.architectures.") for target in targets)
