"""Configs: composed from conf/ by Hydra, resolved, validated, and frozen."""

from tripletlab.config.compose import (
    Composition,
    compose,
    compose_studies,
    composition,
    recorded,
    show,
)
from tripletlab.config.files import (
    defaults,
    first_comment,
    folder,
    groups,
    own_code,
    own_folders,
    use,
)
from tripletlab.config.instantiate import Component
from tripletlab.config.override_checks import check_average
from tripletlab.config.overrides import (
    allow_only,
    key_of,
    noun_of,
    of_nouns,
    one_name,
    override,
    parsed,
    split_words,
)
from tripletlab.config.run_config import (
    EvaluateConfig,
    PrepareConfig,
    RunConfig,
    StudiesConfig,
    SweepConfig,
)

__all__ = [
    "Component",
    "Composition",
    "EvaluateConfig",
    "PrepareConfig",
    "RunConfig",
    "StudiesConfig",
    "SweepConfig",
    "allow_only",
    "check_average",
    "compose",
    "compose_studies",
    "composition",
    "defaults",
    "first_comment",
    "folder",
    "groups",
    "key_of",
    "noun_of",
    "of_nouns",
    "one_name",
    "override",
    "own_code",
    "own_folders",
    "parsed",
    "recorded",
    "show",
    "split_words",
    "use",
]
