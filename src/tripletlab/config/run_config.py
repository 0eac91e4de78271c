"""The typed configs, one for each root file of conf/; each has what the one before it has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tripletlab.config.instantiate import Component, read_component, validated
from tripletlab.config.places import check_places
from tripletlab.system.processor import DType

OPTIMIZER = {  # Keras takes other values too, or fails on them in the midst of a run
    "learning_rate": Annotated[float, Field(gt=0, le=1)],
    "global_clipnorm": Annotated[float, Field(gt=0, strict=True)] | None,
    "weight_decay": Annotated[float, Field(ge=0, strict=True)] | None,
    "use_ema": Annotated[bool, Field(strict=True)],
    "ema_momentum": Annotated[float, Field(ge=0, lt=1, strict=True)],
}


class Config(BaseModel):
    """What all of them have."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    choices: dict[str, str]  # by noun
    tree: dict[str, Any]  # all of it as nested dicts, as it is recorded with a run

    @classmethod
    def nouns(cls) -> set[str]:
        """The keys at the top of the root file."""
        return set(cls.model_fields) - {"choices", "tree"}

    def params(self) -> dict[str, Any]:
        """Choices and values by their dotted keys: what is logged of a run."""
        leaves = self.flat(self.tree)
        return {**self.choices, **{k: v for k, v in leaves.items() if "._" not in k}}

    @staticmethod
    def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """Nested dicts as one, keys joined by dots."""
        leaves: dict[str, Any] = {}
        for key, value in tree.items():
            if isinstance(value, Mapping):
                leaves |= Config.flat(value, f"{prefix}{key}.")
            else:
                leaves[prefix + key] = value
        return leaves


class StudiesConfig(Config):
    """Where sweeps that have run are kept: what is read of conf/sweep.yaml to look at them."""

    tracking: Component
    studies: str
    data: Path


class PrepareConfig(Config):
    """Photos, and how they become faces."""

    photos: Component
    verification: Component
    faces: Component
    preparation: Component
    hygiene: Component
    data: Path


class EvaluateConfig(PrepareConfig):
    """A network that is there already, or embeddings from elsewhere, and where runs are kept."""

    tracking: Component
    flip: bool


class RunConfig(EvaluateConfig):
    """One run: a network, and how it is trained."""

    architecture: Component
    batches: Component
    graph: Component
    augmentation: Component
    miner: Component
    loss: Component
    regularizer: Component
    margin_schedule: Component
    optimizer: Component
    rate_schedule: Component
    guard: Component
    metrics: dict[str, Component]  # of one's own, by name
    fit: Component
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    dtype: DType
    margin: Annotated[float, Field(gt=0, le=4)]

    @model_validator(mode="after")
    def _optimizer(self) -> "RunConfig":
        """Every optimizer has a learning rate; the other settings are checked where it has them."""
        given = {"learning_rate": None, **self.optimizer.arguments}
        for key, hint in OPTIMIZER.items():
            if key in given:
                validated(given[key], hint, f"optimizer.{key}")
        return self


class SweepConfig(RunConfig):
    """Many runs: where they work, and what remembers them."""

    engine: Component
    studies: str
    retries: Annotated[int, Field(ge=0)]


Kind = TypeVar("Kind", bound=Config)
CLASSES: dict[str, type[Config]] = {
    "studies": StudiesConfig,
    "prepare": PrepareConfig,
    "evaluate": EvaluateConfig,
    "train": RunConfig,
    "sweep": SweepConfig,
}


def read_config(
    kind: type[Kind], tree: Mapping[str, Any], *, raw: Mapping[str, Any], choices: Mapping[str, str]
) -> Kind:
    """The config of a resolved tree; `raw` is the tree before, for the sentences of errors."""
    check_places(Config.flat(tree))
    fields = {name: _field(kind, name, tree[name], raw.get(name)) for name in kind.nouns()}
    return kind(choices=dict(choices), tree=dict(tree), **fields)


def _field(kind: type[Config], name: str, value: Any, raw: Any) -> Any:
    field = kind.model_fields[name]
    if field.annotation is Component:
        return read_component(value, name, raw=raw)
    if field.annotation == dict[str, Component]:
        return {
            key: read_component(node, f"{name}.{key}", raw=raw.get(key))
            for key, node in value.items()
        }
    hint = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return validated(value, hint, name)
