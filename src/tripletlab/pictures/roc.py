"""ROC curves of the LFW protocol: a thin one for every set, a thick one for their mean."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tripletlab.verification.protocol import Distances, Flags, Folds, Verdict, roc

BLUE, GREY = "#0072b2", "#8a8f98"  # told apart by every eye (Okabe and Ito)
GRID = np.linspace(0, 1, 501)


def draw_roc(
    distances: Distances, matched: Flags, fold: Folds, verdict: Verdict, *, title: str, path: Path
) -> None:
    """Write a PNG. The mean curve is vertical: at each false positive rate the sets' mean rate."""
    figure = Figure(figsize=(6, 6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(
        xlabel="false positive rate", ylabel="true positive rate", aspect="equal"
    )
    curves = []
    for k in range(len(verdict.auc)):
        false, true = roc(distances[fold == k], matched[fold == k])
        curves.append(np.interp(GRID, false, true))
        label = f"each of {len(verdict.auc)} sets" if k == 0 else None
        axes.plot(false, true, color=BLUE, alpha=0.3, linewidth=0.8, label=label)
    mean, scatter = verdict.auc.mean(), verdict.auc.std(ddof=1)
    label = f"mean, AUC {mean:.3f} ± {scatter:.3f}"
    curve = np.append(0.0, np.mean(curves, axis=0))
    axes.plot(np.append(0.0, GRID), curve, color=BLUE, linewidth=2.4, label=label)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="chance")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_title(title, fontsize=11)
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right", frameon=False)
    figure.savefig(path)
