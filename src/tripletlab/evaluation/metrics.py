"""The table of metrics: what a run logs, which way each is better, and how it is printed.

A name is its source, a slash, and what is measured, so that MLflow groups its charts by source.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple

from tripletlab.config import Component
from tripletlab.errors import InputError
from tripletlab.evaluation.numbers import decimal
from tripletlab.evaluation.operating_points import FARS, tar_name
from tripletlab.evaluation.protocol import Distances, Flags

Source = Literal["train", "val", "test", "cost"]
Direction = Literal["maximize", "minimize"]
SCORE = "val/best_auc"  # what chooses a sweep's winner and the champion
SCORE_BEFORE = "best_validation_auc"  # its name in runs of earlier versions


class Metric(NamedTuple):
    """A heading, which way is better (None: neither), and the digits after the decimal point.

    `either` is of one's own metrics: the objectives of a sweep say which way is better.
    """

    heading: str
    better: Direction | Literal["either"] | None = None
    digits: int = 4
    every_epoch: bool = False  # else once, of the network that is kept

    def figure(self, value: float) -> str:
        """The value as a table prints it: 955,192 or 0.8412."""
        return decimal(value, digits=self.digits)


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
    **{f"test/{tar_name(far)}": Metric(f"TAR at FAR {far:g}", "maximize") for far in FARS},
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
    """The values under their full names: `auc` of the source `val` is `val/auc`."""
    return {f"{source}/{name}": value for name, value in values.items()}


def describe(name: str) -> Metric:
    """The table's row, or one made from the name where the table has none, as of one's own."""
    source = "validation " if name.startswith("val/") else ""
    return METRICS.get(name) or Metric(source + _bare(name).replace("_", " "), "either")


def final_table(own: Iterable[str]) -> dict[str, Metric]:
    """The metrics that a run logs at its end, `own` ones for both kinds of pairs among them.

    InputError where the name of an own metric cannot be used.
    """
    table = {name: metric for name, metric in METRICS.items() if not metric.every_epoch}
    for name in own:
        if not name.isidentifier():
            raise InputError(f"metrics.{name}: a name consists of letters, digits and _")
        for full in (f"val/{name}", f"test/{name}"):
            if full in METRICS:
                raise InputError(f"metrics.{name}: tripletlab has a {full}; give it another name")
            table[full] = describe(full)
    return table


def own_values(
    own: Mapping[str, Component], distances: Distances, matched: Flags
) -> dict[str, float]:
    """One's own metrics of pairs: squared distances (pairs,) and which are matched (pairs,).

    InputError where one is called with other arguments, or returns no number.
    """
    values = {}
    for name, metric in own.items():
        try:
            values[name] = float(metric.build(distances=distances, matched=matched))
        except (InputError, TypeError, ValueError) as error:
            raise InputError(f"metrics.{name}: {error}") from error
    return values


def check_columns(columns: Iterable[str], table: Mapping[str, Metric]) -> None:
    """InputError where no run logs a metric of that name at its end."""
    for name in columns:
        _known(name, table, "columns")


def check_objectives(objectives: Mapping[str, Direction], table: Mapping[str, Metric]) -> None:
    """InputError where a metric cannot be optimized: what the test pairs measure, above all."""
    usable = {name: one for name, one in table.items() if one.better and not _of_test(name)}
    if not objectives:
        raise InputError(f"objectives: name at least one of {', '.join(usable)}")
    for name, direction in objectives.items():
        if name in table and _of_test(name):
            raise InputError(
                f"objectives: {name} is measured on the pairs that test the model, which must not"
                f" choose it; objectives are {', '.join(usable)}"
            )
        if _known(name, usable, "objectives").better not in (direction, "either"):
            raise InputError(f"objectives: {name}: write {usable[name].better}, not {direction}")


def _known(name: str, known: Mapping[str, Metric], key: str) -> Metric:
    if name in known:
        return known[name]
    source, _, word = name.rpartition("/")
    words = dict.fromkeys(map(_bare, known))  # auc is close to test/auc
    near = sorted((one for one in words if one.endswith(word)), key=len)
    near = near or get_close_matches(word, words, n=1, cutoff=0.5)
    meant = [one for one in known if _bare(one) in near[:1]]
    hint = f"did you mean {max(meant, key=lambda one: one.startswith(source))}? " if near else ""
    raise InputError(f"{key}: {name} is not one of them; {hint}They are {', '.join(known)}")


def _of_test(name: str) -> bool:
    return name.startswith("test/")


def _bare(name: str) -> str:
    return name.rpartition("/")[2]
