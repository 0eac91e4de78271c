"""The table and the picture of an architecture comparison, from what its runs logged.

    .venv/bin/tripletlab sweep architectures fit.patience=… (or runs of `tripletlab train`)
    .venv/bin/python benchmarks/architectures.py mlruns [EXPERIMENT] [FOLDER]

prints a Markdown table of all finished runs by architecture, means over seeds, and draws
FOLDER/architectures.png: AUC against operations. Both become artifacts of an MLflow run called
"architectures".
"""

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import mlflow
from mlflow.entities import Run

COLUMNS = {  # metric: heading, unit, format
    "parameters": ("parameters", 1, ",.0f"),
    "flops": ("MFLOP", 1e6, ".1f"),
    "steps": ("steps", 1, ",.0f"),
    "training_seconds": ("training s", 1, ",.0f"),
    "training_images_per_second": ("training images/s", 1, ",.0f"),
    "inference_images_per_second": ("inference images/s", 1, ",.0f"),
    "best_validation_loss": ("validation loss", 1, ".4f"),
    "best_validation_auc": ("validation AUC", 1, ".4f"),
    "accuracy": ("accuracy", 1, ".4f"),
    "auc": ("AUC", 1, ".4f"),
}
Runs = Mapping[str, Sequence[Run]]  # by architecture


def main(tracking: Path, experiment: str, folder: Path) -> None:
    """Read, print, draw, log."""
    mlflow.set_tracking_uri(f"sqlite:///{tracking / 'mlflow.db'}")
    runs = finished(experiment)
    text = table(runs)
    print(text)
    folder.mkdir(parents=True, exist_ok=True)
    draw(runs, folder / "architectures.png")
    (folder / "architectures.md").write_text(text + "\n")
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name="architectures"):
        for name in ("architectures.png", "architectures.md"):
            mlflow.log_artifact(str(folder / name))


def finished(experiment: str) -> Runs:
    """The last finished run of each architecture and seed, the smallest network first."""
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string="attributes.status = 'FINISHED'",
        order_by=["attributes.start_time"],
        output_format="list",
    )
    last: dict[tuple[str, str], Run] = {}
    for run in found:
        if "flops" in run.data.metrics and "auc" in run.data.metrics:
            last[run.data.params["architecture"], run.data.params["seed"]] = run
    names = sorted({name for name, _ in last}, key=lambda name: _flops(last, name))
    return {name: [run for (one, _), run in last.items() if one == name] for name in names}


def _flops(runs: Mapping[tuple[str, str], Run], name: str) -> float:
    return max(run.data.metrics["flops"] for (one, _), run in runs.items() if one == name)


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
    """Verification AUC against operations, every seed a dot; the area tells of the parameters."""
    chart, axis = plt.subplots(figsize=(8, 5), layout="constrained")
    for place, (name, group) in enumerate(runs.items()):
        x = [run.data.metrics["flops"] / 1e6 for run in group]
        y = [run.data.metrics["auc"] for run in group]
        area = group[0].data.metrics["parameters"] / 12_000
        axis.scatter(x, y, s=area, alpha=0.6, color=f"C{place % 10}", edgecolor="none")
        axis.annotate(name, (x[0], statistics.fmean(y)), (6, 6), textcoords="offset points")
    axis.set(xscale="log", xlabel="MFLOP for a face", ylabel="verification AUC")
    axis.grid(alpha=0.3)
    chart.savefig(path, dpi=110)


if __name__ == "__main__":
    given = dict(enumerate(sys.argv[1:]))
    main(
        Path(given.get(0, "mlruns")).resolve(),
        given.get(1, "tripletlab"),
        Path(given.get(2, "data/architectures")),
    )
