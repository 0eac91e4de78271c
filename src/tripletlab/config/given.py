"""Overrides that Hydra would take without effect, or refuse in words that mislead."""

import functools
import re
from collections.abc import Sequence

from tripletlab.config.files import choices_of
from tripletlab.config.instantiate import Component
from tripletlab.config.overrides import key_of
from tripletlab.config.run_config import CLASSES
from tripletlab.errors import InputError
from tripletlab.system.progress import say


def check_given(overrides: Sequence[str], root: str) -> None:
    """InputError for an override that changes nothing, or that is written in another way.

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
        node = bare in fields and fields[bare].annotation is Component and not choices_of(bare)
        if node and not value.startswith("{"):
            raise InputError(f"{one}: {bare} has keys of its own; see tripletlab {root} --config")
    _say_twice(overrides)


def _say_twice(overrides: Sequence[str]) -> None:
    last = {key_of(one): one for one in overrides}
    for key in last:
        if sum(key_of(one) == key for one in overrides) > 1:
            _say_once(f"warning: {key} is given more than once; the last counts, {last[key]}")


@functools.cache
def _say_once(text: str) -> None:
    """A sweep composes its config many times."""
    say(text)
