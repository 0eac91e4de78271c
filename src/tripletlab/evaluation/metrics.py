"""The table of metrics: what a run logs, which way each is better, and how it is printed.

A name is its source, a slash, and what is measured, so that MLflow groups its charts by source.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple

from tripletlab.errors import InputError
from tripletlab.evaluation.card import FARS

Source = Literal["train", "val", "test", "cost"]
Direction = Literal["maximize", "minimize"]


class Metric(NamedTuple):
    """A heading, which way is better (None: neither), and the digits after the decimal point."""

    heading: str
    better: Direction | None = None
    digits: int = 4
    every_epoch: bool = False  # else once, of the network that is kept

    def figure(self, value: float) -> str:
        """The value as a table prints it: 955,192 or 0.8412."""
        return f"{value:,.{self.digits}f}"


def _epoch(heading: str, better: Direction | None = None, digits: int = 4) -> Metric:
    return Metric(heading, better, digits, every_epoch=True)


METRICS: dict[str, Metric] = {
    "val/auc": _epoch("validation AUC", "maximize"),
    "val/loss": _epoch("validation loss", "minimize"),
    "val/mean_distance": _epoch("mean distance of validation faces"),
    "val/embedding_std": _epoch("standard deviation of validation embeddings"),
    "val/effective_rank": _epoch("effective rank of validation embeddings", digits=1),
    "val/best_auc": Metric("validation AUC", "maximize"),
    "val/best_loss": Metric("validation loss", "minimize"),
    "test/precision": Metric("precision", "maximize"),
    "test/recall": Metric("recall", "maximize"),
    "test/accuracy": Metric("accuracy", "maximize"),
    "test/accuracy_std": Metric("accuracy std"),
    "test/accuracy_standard_error": Metric("accuracy standard error"),
    "test/auc": Metric("AUC", "maximize"),
    "test/auc_pooled": Metric("AUC, pooled", "maximize"),
    "test/eer": Metric("EER", "minimize"),
    **{f"test/tar_at_far_{far:g}": Metric(f"TAR at FAR {far:g}", "maximize") for far in FARS},
    "test/threshold": Metric("threshold"),
    "test/untrained_accuracy": Metric("untrained accuracy"),
    "test/untrained_auc": Metric("untrained AUC"),
    "train/loss": _epoch("loss", "minimize"),
    "train/triplet_loss": _epoch("triplet loss in training", "minimize"),
    "train/kept": _epoch("kept by the miner"),
    "train/active": _epoch("active (loss above zero)"),
    "train/positive_distance": _epoch("distance of matched pairs"),
    "train/negative_distance": _epoch("distance of mismatched pairs"),
    "train/margin": _epoch("margin"),
    "train/learning_rate": _epoch("learning rate", digits=6),
    "train/images_per_second": _epoch("images per second", "maximize", 0),
    "train/best_epoch": Metric("best epoch", "minimize", 0),
    "train/steps": Metric("steps", "minimize", 0),
    "train/identities": Metric("training identities", None, 0),
    "train/identities_left_out": Metric("training identities left out", None, 0),
    "cost/training_seconds": Metric("training seconds", "minimize", 1),
    "cost/training_images_per_second": Metric("training images per second", "maximize", 1),
    "cost/inference_images_per_second": Metric("inference images per second", "maximize", 1),
    "cost/parameters": Metric("parameters", "minimize", 0),
    "cost/flops": Metric("flops", "minimize", 0),
}


def grouped(source: Source, values: Mapping[str, float]) -> dict[str, float]:
    """Values by their names in the table."""
    return {f"{source}/{name}": value for name, value in values.items()}


def describe(name: str) -> Metric:
    """The table's row, or one made from the name where the table has none."""
    return METRICS.get(name) or Metric(_bare(name).replace("_", " "))


def check_columns(columns: Iterable[str]) -> None:
    """InputError where no run logs a metric of that name at its end."""
    known = {name: metric for name, metric in METRICS.items() if not metric.every_epoch}
    for name in columns:
        _known(name, known, "columns")


def check_objectives(objectives: Mapping[str, Direction]) -> None:
    """InputError where a metric cannot be optimized: what the test pairs measure, above all."""
    usable = {
        name: metric
        for name, metric in METRICS.items()
        if metric.better and not metric.every_epoch and not _of_test(name)
    }
    if not objectives:
        raise InputError(f"objectives: name at least one of {', '.join(usable)}")
    for name, direction in objectives.items():
        if name in METRICS and _of_test(name):
            raise InputError(
                f"objectives: {name} is measured on the pairs that test the model, which must not"
                f" choose it; objectives are {', '.join(usable)}"
            )
        if direction != _known(name, usable, "objectives").better:
            raise InputError(f"objectives: {name}: write {usable[name].better}, not {direction}")


def _known(name: str, known: Mapping[str, Metric], key: str) -> Metric:
    if name in known:
        return known[name]
    word, bare = _bare(name), {_bare(one): one for one in known}  # auc is close to test/auc
    near = sorted((one for one in bare if one.endswith(word)), key=len)
    near = near or get_close_matches(word, bare, n=1, cutoff=0.5)
    hint = f"did you mean {bare[near[0]]}? " if near else ""
    raise InputError(f"{key}: {name} is not one of them; {hint}They are {', '.join(known)}")


def _of_test(name: str) -> bool:
    return name.startswith("test/")


def _bare(name: str) -> str:
    return name.rpartition("/")[2]
