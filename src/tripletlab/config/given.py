"""Overrides that Hydra would take without effect, or refuse in words that mislead."""

import re
from collections.abc import Sequence

from tripletlab.config.files import choices_of
from tripletlab.config.instantiate import Component
from tripletlab.config.overrides import key_of
from tripletlab.config.run_config import CLASSES
from tripletlab.errors import InputError


def check_given(overrides: Sequence[str], root: str) -> None:
    """InputError for an override that changes nothing, or that is written in another way."""
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
    check_once(overrides)


def check_once(overrides: Sequence[str]) -> None:
    """InputError for a key that is given twice: only the last one would count."""
    keys = [key_of(one) for one in overrides]
    for key in keys:
        if keys.count(key) > 1:
            raise InputError(f"{key} is given twice; leave out one of them")
