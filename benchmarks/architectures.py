"""The table and the figure of a comparison of architectures, from what its runs have logged.

    tripletlab sweep architectures fit.patience=… (or runs of `tripletlab train`)
    python benchmarks/architectures.py mlruns [MORE …]

prints a Markdown table of all finished runs by architecture, with means over seeds, and plots AUC
against operations. Both become artifacts of an MLflow run called "architectures" in the first
folder.
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import mlflow
from mlflow.entities import Run

COLUMNS = {  # metric: heading, unit, format
    "cost/parameters": ("parameters", 1, ",.0f"),
    "cost/flops": ("MFLOP", 1e6, ".1f"),
    "train/steps": ("steps", 1, ",.0f"),
    "cost/training_seconds": ("training s", 1, ",.0f"),
    "cost/training_images_per_second": ("training images/s", 1, ",.0f"),
    "cost/inference_images_per_second": ("inference images/s", 1, ",.0f"),
    "val/best_loss": ("validation loss", 1, ".4f"),
    "val/best_auc": ("validation AUC", 1, ".4f"),
    "test/accuracy": ("accuracy", 1, ".4f"),
    "test/auc": ("AUC", 1, ".4f"),
}
MARKERS = "osD^vP"
Runs = Mapping[str, Sequence[Run]]  # by architecture


def main(folders: Sequence[Path], experiment: str) -> None:
    """Read, print, draw, log."""
    runs = by_architecture([run for folder in folders for run in finished(folder, experiment)])
    text = table(runs)
    print(text)
    point_at(folders[0])
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name="architectures"), TemporaryDirectory() as scratch:
        draw(runs, Path(scratch) / "architectures.png")
        (Path(scratch) / "architectures.md").write_text(text + "\n")
        mlflow.log_artifacts(scratch)


def point_at(folder: Path) -> None:
    """MLflow's database in a tracking folder."""
    mlflow.set_tracking_uri(f"sqlite:///{folder.resolve() / 'mlflow.db'}")


def finished(folder: Path, experiment: str) -> Sequence[Run]:
    """The finished runs that were evaluated, the oldest first."""
    point_at(folder)
    found: Sequence[Run] = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string="attributes.status = 'FINISHED'",
        order_by=["attributes.start_time"],
        output_format="list",
    )
    return [run for run in found if {"cost/flops", "test/auc"} <= run.data.metrics.keys()]


def by_architecture(runs: Sequence[Run]) -> Runs:
    """The last run of each architecture and seed, the smallest network first."""
    last = {(run.data.params["architecture"], run.data.params["seed"]): run for run in runs}
    groups: dict[str, list[Run]] = {}
    for (name, _), run in last.items():
        groups.setdefault(name, []).append(run)
    return dict(sorted(groups.items(), key=lambda group: group[1][0].data.metrics["cost/flops"]))


def table(runs: Runs) -> str:
    """A row for each architecture; ± is the standard deviation over seeds, where there are any."""
    heads = " | ".join(heading for heading, _, _ in COLUMNS.values())
    lines = [f"| network | seeds | {heads} |", "|---|" + "---:|" * (len(COLUMNS) + 1)]
    for name, group in runs.items():
        figures = [figure(group, metric) for metric in COLUMNS]
        lines.append(f"| {name} | {len(group)} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def figure(group: Sequence[Run], metric: str) -> str:
    """Mean over the runs that logged it, with its scatter."""
    _, unit, form = COLUMNS[metric]
    values = [run.data.metrics[metric] / unit for run in group if metric in run.data.metrics]
    if not values:
        return "–"
    scatter = statistics.stdev(values) if len(values) > 1 else 0.0
    spread = f" ± {scatter:{form}}" if scatter else ""
    return f"{statistics.fmean(values):{form}}{spread}"


def draw(runs: Runs, path: Path) -> None:
    """Verification AUC against operations, a dot for each seed and a line between them."""
    chart, axis = plt.subplots(figsize=(9, 5), layout="constrained")
    for place, (name, group) in enumerate(runs.items()):
        x = [run.data.metrics["cost/flops"] / 1e6 for run in group]
        y = [run.data.metrics["test/auc"] for run in group]
        marker = MARKERS[place % len(MARKERS)]
        axis.plot(x, y, marker=marker, color=f"C{place % 10}", markersize=8, alpha=0.8, label=name)
    axis.set(xscale="log", xlabel="MFLOP for a face", ylabel="verification AUC")
    axis.xaxis.set_major_formatter("{x:.0f}")
    axis.xaxis.set_minor_formatter("{x:.0f}")
    axis.grid(alpha=0.3, which="both")
    chart.legend(loc="outside right center", frameon=False)
    chart.savefig(path, dpi=110)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, help="tracking folders, such as mlruns")
    parser.add_argument("--experiment", default="tripletlab")
    given = parser.parse_args()
    main(given.folders, given.experiment)
