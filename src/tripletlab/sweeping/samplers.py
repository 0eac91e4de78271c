"""Samplers, which choose points, and pruners, which end trials early: Optuna's own, by name."""

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import optuna

from tripletlab.config.instantiate import Component, read_component
from tripletlab.errors import InputError, brief
from tripletlab.sweeping.axes import Point
from tripletlab.sweeping.spaces import Space

GRIDS = ("GridSampler", "BruteForceSampler")  # end Optuna's own loop; a grid needs no sampler
TRIED = 100  # trials at most of which a sampler is tried out on the last


def make_sampler(space: Space, offset: int) -> optuna.samplers.BaseSampler:
    """The space's sampler, its seed moved on by `offset`; for a grid one that never chooses."""
    if space.sampler is None:
        return optuna.samplers.RandomSampler(seed=0)
    node = dict(space.sampler)
    if isinstance(node.get("seed"), int):
        node["seed"] += offset
    sampler: optuna.samplers.BaseSampler = _build(node, "sampler")
    return sampler


def make_pruner(space: Space) -> optuna.pruners.BasePruner:
    """The space's pruner, or one that never prunes."""
    if space.pruner is None:
        return optuna.pruners.NopPruner()
    pruner: optuna.pruners.BasePruner = _build(space.pruner, "pruner")
    return pruner


def draw_points(space: Space) -> list[Point]:
    """The points that the sampler chooses while it has no results."""
    if space.sampler is None:
        return space.cells()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=make_sampler(space, 0), directions=list(space.objectives.values())
    )
    return [space.draw(study.ask()) for _ in range(space.points)]


def try_out(space: Space) -> None:
    """InputError where the sampler or pruner cannot work: Optuna checks some arguments only then.

    The last trial of the sweep, or the `TRIED`th, is drawn after made-up results of those before
    it: most samplers begin with random points, and use their arguments later.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=make_pruner(space),
        directions=list(space.objectives.values()),
    )
    for number in range(min(space.points, TRIED) - 1):
        _try_trial(study, space, float(number))
    if space.sampler is not None:
        study.sampler = make_sampler(space, 0)
        with _arguments_of(space.sampler, "sampler"):
            _try_trial(study, space, 0.0)


def _try_trial(study: optuna.Study, space: Space, score: float) -> None:
    trial = study.ask()
    space.draw(trial)
    if space.pruner is not None:
        with _arguments_of(space.pruner, "pruner"):
            trial.report(score, 1)
            trial.should_prune()
    study.tell(trial, [score] * len(space.objectives))


def _optuna_names(noun: str) -> set[str]:
    """Optuna's own samplers or pruners, by their dotted names."""
    module = importlib.import_module(f"optuna.{noun}s")
    return {f"optuna.{noun}s.{name}" for name in module.__all__ if name not in GRIDS}


def _is_complete(component: Component) -> bool:
    nested = (one for one in component.arguments.values() if isinstance(one, Component))
    return not component.partial and all(map(_is_complete, nested))


def _build(node: Mapping[str, Any], noun: str) -> Any:
    if "_target_" not in node:
        raise InputError(f"{noun}: name it by _target_: optuna.{noun}s.…")
    with _arguments_of(node, noun):
        component = read_component(node, noun, allowed=_optuna_names(noun))
        if not _is_complete(component):
            raise InputError(f"{noun}: leave _partial_ out; Optuna needs the {noun} itself")
        return component.build()


@contextlib.contextmanager
def _arguments_of(node: Mapping[str, Any], noun: str) -> Iterator[None]:
    """Whatever is raised in the block is due to the arguments of a sampler or pruner."""
    target = node["_target_"]
    try:
        yield
    except InputError:
        raise
    except ImportError as error:
        raise InputError(f"{noun}: {target} needs more packages ({brief(error)})") from error
    except Exception as error:  # samplers raise what they like, an AssertionError too
        raise InputError(
            f"{noun}: {target} refuses these arguments: {brief(error) or type(error).__name__}"
        ) from error
