"""Does the guard end the runs that collapse, and only those? What does batch norm do?

    python benchmarks/collapse.py FOLDER

trains every run below on synthetic people (a matter of minutes on two idle cores), prints a table
of them, and draws FOLDER/collapse.png, which is docs/collapse.png. Here the guard does not stop any
run; it is only asked after each epoch what it would have said. Runs that FOLDER already has are not
repeated.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from tripletlab import config
from tripletlab.evaluation.metrics import METRICS, grouped
from tripletlab.evaluation.validation import Validation
from tripletlab.experiment.components import build_components
from tripletlab.experiment.data import prepare
from tripletlab.system.progress import bar, say
from tripletlab.training import backend
from tripletlab.training.guard import collapse, embedding_statistics
from tripletlab.training.inference import embed
from tripletlab.training.rates import scheduled

PEOPLE = "photos.people=40 photos.photos=10 verification.people=60 verification.per_fold=10"
LENGTH = "batches.people=8 batches.photos=4 batches.steps=20 fit.epochs=6 rate_schedule=constant"
ALONE = "regularizer=none"
CNN = "architecture=simple_cnn architecture.width=0.5"
HALF = "architecture.width=0.25"
HEALTHY = {
    "semi-hard": f"{HALF}",
    "semi-hard, the paper's settings": f"{ALONE} optimizer=adam_paper {HALF}",
    "semi-hard, margin 0.4": f"{ALONE} margin=0.4 {HALF}",
    "semi-hard, adaptive margin": f"margin_schedule=adaptive {CNN}",
    "semi-hard, residual network": f"architecture=resnet {HALF}",
    "hard, spread": f"miner=hard {HALF}",
    "batch-hard, spread": f"miner=batch_hard {CNN}",
    "batch-all": f"miner=batch_all {ALONE} {CNN}",
    "distance-weighted": f"miner=distance_weighted {CNN}",
    "easy positive": f"miner=easy_positive {ALONE} {CNN}",
    "violating": f"miner=violating {ALONE} {CNN}",
    "nearest semi-hard": f"miner=nearest_semihard {ALONE} {CNN}",
    "softplus, cosine margin": f"loss=softplus margin_schedule=cosine {CNN}",
}
COLLAPSING = {
    "hard alone": f"miner=hard {ALONE} {CNN}",
    "hard alone, rate 0.01": f"miner=hard {ALONE} optimizer.learning_rate=0.01 {CNN}",
    "batch-hard alone": f"miner=batch_hard {ALONE} {CNN}",
}
TRIPLETS = "batches=offline batches.triplets=16 batches.every=5"
NORM = f"architecture.batch_norm=true {ALONE} {CNN}"
NORMALISED = {
    "batch norm, one pass": NORM,
    "batch norm, one pass of triplets": f"{TRIPLETS} {NORM}",
    "batch norm, three inputs": f"{TRIPLETS} graph=three_inputs {NORM}",
    "no norm, three inputs": f"{TRIPLETS} graph=three_inputs {ALONE} {CNN}",
}
SHOWN = (
    "val/mean_distance",
    "val/effective_rank",
    "train/active",
    "train/loss",
    "val/loss",
    "val/auc",
)
DRAWN = ("hard alone", "hard, spread", "semi-hard", "batch norm, three inputs")


class Report:
    """Every epoch's metrics; of the untrained network those of the validation."""

    def __init__(self, advance: Any) -> None:
        self.advance = advance
        self.epochs: list[dict[str, float]] = []

    def resumed(self, epochs: Any) -> None:
        """The fit begins after these epochs; here it is always new."""

    def step(self) -> None:
        """A batch was learned from."""
        self.advance(1)

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch ended."""
        self.epochs.append(metrics)


def main(folder: Path) -> None:
    """Train what is missing; then the table and the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    backend.load()
    kept = folder / "runs.json"
    runs = json.loads(kept.read_text()) if kept.is_file() else {}
    for name, text in (HEALTHY | COLLAPSING | NORMALISED).items():
        if name not in runs:
            overrides = [*PEOPLE.split(), f"data={folder}/data", *text.split()]
            runs[name] = learn(name, [*LENGTH.split(), *overrides])
            kept.write_text(json.dumps(runs))
    print(table(runs))
    draw({name: runs[name] for name in DRAWN}, folder / "collapse.png")


def learn(name: str, overrides: list[str]) -> list[dict[str, float]]:
    """Metrics of a run by epoch, first the untrained network's."""
    plain = config.compose("train", overrides)
    data = prepare(plain, fresh=False)
    backend.start(seed=plain.seed)
    parts = build_components(plain, data)
    model, batches = parts.model, parts.batches
    validation, values = Validation(data.faces), []

    def evaluate(network: Any, margin: float) -> dict[str, float]:
        embeddings = embed(network, validation.faces)
        figures = {**validation.evaluate(embeddings, margin), **embedding_statistics(embeddings)}
        values.append(figures)
        return figures

    steps = len(batches) * plain.fit["epochs"]
    schedule = plain.rate_schedule.build()
    with bar(name, total=steps) as advance:
        report = Report(advance)
        plain.fit.build()(
            model,
            batches,
            optimizer=scheduled(plain.optimizer.build(), schedule, steps=steps),
            margin=plain.margin_schedule.build(),
            guard=lambda distances: None,
            evaluate=evaluate,
            report=report,
            checkpoint=None,
        )
    say(f"{name}: {report.epochs[-1]}")
    return [grouped("val", values[0]), *report.epochs]


def fired(epochs: list[dict[str, float]]) -> str:
    """The epoch in which the guard, as it is in conf/, would have ended the run."""
    settings = config.compose("train", ["guard=collapse"]).guard
    bounds = {key: settings[key] for key in ("warm_up", "shrunk_to")}
    distances = [one["val/mean_distance"] for one in epochs]
    for epoch in range(1, len(distances)):
        if collapse(distances[: epoch + 1], **bounds):
            return f"epoch {epoch}"
    return "–"


def table(runs: dict[str, list[dict[str, float]]]) -> str:
    """A row for each run: what the guard says, and the last epoch's metrics."""
    heads = " | ".join(METRICS[one].heading for one in SHOWN)
    lines = [f"| run | guard | untrained distance | {heads} |", "|---|---|" + "---:|" * 7]
    for name, epochs in runs.items():
        last = " | ".join(f"{epochs[-1][one]:.3g}" for one in SHOWN)
        distance = f"{epochs[0]['val/mean_distance']:.3g}"
        lines.append(f"| {name} | {fired(epochs)} | {distance} | {last} |")
    return "\n".join(lines)


def draw(runs: dict[str, list[dict[str, float]]], path: Path) -> None:
    """What the guard sees, epoch by epoch."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
    labels = ("mean squared distance", "effective rank", "loss of the triplets")
    names = ("val/mean_distance", "val/effective_rank", "train/triplet_loss")
    for axis, metric, label in zip(axes, names, labels, strict=True):
        for name, epochs in runs.items():
            points = [(n, one[metric]) for n, one in enumerate(epochs) if metric in one]
            axis.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
        axis.set(xlabel="epoch (0: untrained)", ylabel=label)
    axes[0].set_yscale("log")
    axes[2].axhline(0.2, color="grey", linestyle=":", label="the margin")
    figure.legend(*axes[2].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/collapse").resolve())
