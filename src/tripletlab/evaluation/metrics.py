"""The metrics that a run logs at its end: where each comes from, and which way it is better."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple

from tripletlab.errors import InputError
from tripletlab.evaluation.card import FARS

Source = Literal["train", "val", "test", "cost"]
Direction = Literal["maximize", "minimize"]
SOURCES: dict[Source, str] = {
    "train": "the training itself",
    "val": "the validation pairs",
    "test": "the verification pairs",
    "cost": "time, size and operations",
}


class Metric(NamedTuple):
    """Where a metric comes from, which way it is better (None: neither), and its heading."""

    source: Source
    better: Direction | None
    heading: str
    whole: bool = False  # a count


METRICS: dict[str, Metric] = {
    "best_validation_auc": Metric("val", "maximize", "validation AUC"),
    "best_validation_loss": Metric("val", "minimize", "validation loss"),
    "precision": Metric("test", "maximize", "precision"),
    "recall": Metric("test", "maximize", "recall"),
    "accuracy": Metric("test", "maximize", "accuracy"),
    "accuracy_std": Metric("test", None, "accuracy std"),
    "accuracy_standard_error": Metric("test", None, "accuracy standard error"),
    "auc": Metric("test", "maximize", "AUC"),
    "auc_pooled": Metric("test", "maximize", "AUC pooled"),
    "eer": Metric("test", "minimize", "EER"),
    **{f"tar_at_far_{far:g}": Metric("test", "maximize", f"TAR at FAR {far:g}") for far in FARS},
    "threshold": Metric("test", None, "threshold"),
    "untrained_accuracy": Metric("test", None, "untrained accuracy"),
    "untrained_auc": Metric("test", None, "untrained AUC"),
    "training_identities": Metric("train", None, "training identities", True),
    "training_identities_left_out": Metric("train", None, "training identities left out", True),
    "best_epoch": Metric("cost", "minimize", "best epoch", True),
    "steps": Metric("cost", "minimize", "steps", True),
    "training_seconds": Metric("cost", "minimize", "training seconds"),
    "training_images_per_second": Metric("cost", "maximize", "training images per second"),
    "inference_images_per_second": Metric("cost", "maximize", "inference images per second"),
    "parameters": Metric("cost", "minimize", "parameters", True),
    "flops": Metric("cost", "minimize", "flops", True),
}


def check_columns(columns: Iterable[str]) -> None:
    """InputError where no run logs a metric of that name at its end."""
    for name in columns:
        _known(name, METRICS, "columns")


def check_objectives(objectives: Mapping[str, Direction]) -> None:
    """InputError where a metric cannot be optimized: what the test pairs measure, above all."""
    usable = {
        name: metric
        for name, metric in METRICS.items()
        if metric.source in ("val", "cost") and metric.better
    }
    if not objectives:
        raise InputError(f"objectives: name at least one of {', '.join(usable)}")
    for name, direction in objectives.items():
        metric = METRICS.get(name)
        if metric and metric.source == "test":
            raise InputError(
                f"objectives: {name} is measured on the pairs that test the model, which must not"
                f" choose it; objectives are {', '.join(usable)}"
            )
        if direction != _known(name, usable, "objectives").better:
            raise InputError(f"objectives: {name}: write {usable[name].better}, not {direction}")


def _known(name: str, known: Mapping[str, Metric], key: str) -> Metric:
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"{key}: {name} is not one of them; {hint}They are {', '.join(known)}")
