"""Overrides that Hydra would take without effect, or refuse in words that mislead."""

import functools
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tripletlab.config.files import choices_of
from tripletlab.config.instantiate import Component
from tripletlab.config.overrides import key_of
from tripletlab.config.run_config import CLASSES
from tripletlab.errors import InputError
from tripletlab.system.progress import say


def check_overrides(overrides: Sequence[str], root: str) -> None:
    """InputError for an override that changes nothing, is written wrongly, or names no choice.

    Of a key that is given twice the last one counts, as scripts expect: a line says so.
    """
    fields = CLASSES[root].model_fields
    for one in overrides:
        key, _, value = one.partition("=")
        bare = key.removeprefix("+")
        noun, *inner = re.split(r"[./]", bare)
        if noun == "hydra":
            raise InputError(f"{key}: Hydra's own settings have no effect here; leave it out")
        if inner and inner[-1].startswith("_"):
            raise InputError(
                f"{key}: a callable is named in a file of your own conf folder (--config-dir), not"
                " on the command line"
            )
        if key == "experiment":
            raise InputError(f"{one}: an experiment is added with a plus: +{one}")
        if key != bare and noun in fields and "." not in bare:
            raise InputError(
                f"{one}: {bare} is there already; write it without the plus: {one[1:]}"
            )
        if value.strip() == "{}":
            raise InputError(f"{one}: an empty mapping changes nothing; leave it out")
        choices = choices_of(bare)
        node = bare in fields and fields[bare].annotation is Component and not choices
        if node and not value.startswith("{"):
            raise InputError(f"{one}: {bare} has keys of its own; see tripletlab {root} --config")
        if choices and value not in choices:
            raise InputError(f"{one}: no such choice; {key} is one of {', '.join(choices)}")
    _say_twice(overrides)


def check_additions(overrides: Sequence[str], raw: Mapping[str, Any], root: str) -> None:
    """InputError for a `+key=value` that adds a key which nothing reads."""
    nouns = CLASSES[root].nouns()
    for one in overrides:
        key = key_of(one)
        if key.startswith("+") and (raw.keys() - nouns or "." in key):
            raise InputError(f"{one}: no such key in the config of {root}; leave out the +")


def check_average(given: Collection[str], optimizer: Mapping[str, Any]) -> None:
    """InputError where averages of the weights are set, of these keys, but not made."""
    key, averages = "optimizer.ema_momentum", "optimizer.use_ema"
    if key in given and averages not in given and optimizer.get("use_ema") is False:
        raise InputError(f"{key} has no effect without {averages}=true")


def _say_twice(overrides: Sequence[str]) -> None:
    last = {key_of(one): one for one in overrides}
    for key, count in Counter(map(key_of, overrides)).items():
        if count > 1:
            _say_once(f"warning: {key} is given more than once; the last counts, {last[key]}")


@functools.cache
def _say_once(text: str) -> None:
    """A sweep composes its config many times."""
    say(text)
