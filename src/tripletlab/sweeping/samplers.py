"""What chooses a space's points and ends its trials early: Optuna's objects, named in its file."""

import importlib
from collections.abc import Mapping
from typing import Any

import optuna

from tripletlab.config.instantiate import Component, read_component
from tripletlab.errors import InputError
from tripletlab.sweeping.spaces import Point, Space


def make_sampler(space: Space, offset: int) -> optuna.samplers.BaseSampler:
    """The space's sampler, its seed moved on by `offset`; for a grid one that never chooses."""
    if space.sampler is None:
        return optuna.samplers.RandomSampler(seed=0)
    node = dict(space.sampler)
    if isinstance(node.get("seed"), int):
        node["seed"] += offset
    sampler: optuna.samplers.BaseSampler = _made(node, "sampler")
    return sampler


def make_pruner(space: Space) -> optuna.pruners.BasePruner:
    """The space's pruner, or one that never prunes."""
    if space.pruner is None:
        return optuna.pruners.NopPruner()
    pruner: optuna.pruners.BasePruner = _made(space.pruner, "pruner")
    return pruner


def draw_points(space: Space) -> list[Point]:
    """The points that the sampler chooses as long as it knows no results."""
    if space.sampler is None:
        return space.cells()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=make_sampler(space, 0), directions=list(space.objectives.values())
    )
    return [space.draw(study.ask()) for _ in range(space.points)]


def _optunas(noun: str) -> set[str]:
    """Optuna's own samplers or pruners, by their dotted names."""
    module = importlib.import_module(f"optuna.{noun}s")
    return {f"optuna.{noun}s.{name}" for name in module.__all__}


def _is_whole(component: Component) -> bool:
    nested = (one for one in component.arguments.values() if isinstance(one, Component))
    return not component.partial and all(map(_is_whole, nested))


def _made(node: Mapping[str, Any], noun: str) -> Any:
    if "_target_" not in node:
        raise InputError(f"{noun}: say which by _target_: optuna.{noun}s.…")
    try:
        component = read_component(node, noun, allowed=_optunas(noun))
        if not _is_whole(component):
            raise InputError(f"{noun}: leave _partial_ out; Optuna needs the {noun} itself")
        return component.build()
    except ImportError as error:
        raise InputError(f"{noun}: {node['_target_']} needs more packages ({error})") from error
    except (TypeError, ValueError) as error:
        raise InputError(f"{noun}: {node['_target_']} refuses these arguments: {error}") from error
