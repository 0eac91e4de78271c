"""The recipe of a sweep, which is the user's overrides: under a point, and what applies to it."""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tripletlab import config
from tripletlab.config import Composition
from tripletlab.config.run_config import Config
from tripletlab.errors import InputError
from tripletlab.sweeping.axes import Choice, Point, Range
from tripletlab.sweeping.spaces import Space
from tripletlab.system.progress import say

TreeOf = Callable[[Point], Mapping[str, Any]]  # the config of a run


@functools.lru_cache(maxsize=256)
def composed(overrides: tuple[str, ...]) -> Composition:
    """What Hydra makes of conf/sweep.yaml under these overrides."""
    return config.composition("sweep", overrides)


def as_overrides(changes: Mapping[str, Any]) -> list[str]:
    """Values by their keys as overrides."""
    return [config.override(key, value) for key, value in changes.items()]


def without_replaced(
    overrides: Sequence[str], changes: Mapping[str, Any], choices: Collection[str]
) -> list[str]:
    """The overrides that stay beside the `changes` of a point, of which some are `choices`.

    A key that is changed goes, and so does a key of a component in whose place the changes put
    one without it: `regularizer.weight=0.5` beside `regularizer=none`.
    """
    kept = [one for one in overrides if config.key_of(one) not in changes]
    nouns = tuple(f"{key.replace('/', '.')}." for key in changes if key in choices)
    inside = [one for one in kept if config.key_of(one).startswith(nouns)]
    if not inside:
        return kept
    others = [one for one in kept if one not in inside]
    made = as_overrides({key: value for key, value in changes.items() if key in choices})
    raw = composed((*others, *made)).raw
    return [one for one in kept if one not in inside or _has(raw, config.key_of(one))]


def applicable(
    space: Space, overrides: tuple[str, ...], *, given: Collection[str], tree_of: TreeOf
) -> Space:
    """The space without what does not apply to the recipe; a line names what is left out.

    That is the value of an ablation that the recipe has already, and an axis for a key that the
    recipe's component does not have, though that of conf/ does. Axes `given` on the command line
    stay. InputError where no axis is left.
    """
    axes: dict[str, Choice | Range] = {}
    reasons = []
    for key, axis in space.axes.items():
        needed = key in given or any(key in other.when for other in space.axes.values())
        if not needed and (other := _component_without(key, space, overrides)):
            reasons.append(f"{key} (with {other} there is no such key)")
            continue
        values = axis.ends() if space.ablation and not needed else []
        same = [value for value in values if _changes_nothing(key, value, tree_of)]
        reasons += [f"{config.override(key, value)} (the recipe has it already)" for value in same]
        if not same:
            axes[key] = axis
        elif others := [value for value in values if value not in same]:
            axes[key] = Choice(values=others)
    if not reasons:
        return space
    if not axes:
        raise InputError(f"{space.name}: nothing is left to change without {', '.join(reasons)}")
    say(f"Left out of {space.name}: {', '.join(reasons)}.")
    return space.model_copy(update={"axes": axes})


def _component_without(key: str, space: Space, overrides: tuple[str, ...]) -> str:
    """The choice, such as regularizer=none, without a key that conf/ itself has; else nothing."""
    noun, recipe = config.noun_of(key), composed(overrides)
    if noun in space.axes or noun not in recipe.choices or _has(recipe.raw, key):
        return ""
    return f"{noun}={recipe.choices[noun]}" if _has(composed(()).raw, key) else ""


def _has(raw: Mapping[str, Any], key: str) -> bool:
    return any(leaf == key or leaf.startswith(f"{key}.") for leaf in Config.flat(raw))


def _changes_nothing(key: str, value: Any, tree_of: TreeOf) -> bool:
    try:
        return tree_of({key: value}) == tree_of({})
    except InputError:  # Plan.check reports it
        return False
