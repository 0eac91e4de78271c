"""ROC curves of the LFW protocol: a thin one for every set, a thick one for their mean."""

from io import BytesIO
from pathlib import Path

import numpy as np

from tripletlab.pictures.files import write_whole
from tripletlab.verification.protocol import Distances, Flags, Folds, Verdict, mean_roc, roc

BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#6b7078"  # told apart by every eye (Okabe and Ito)


def draw_roc(
    distances: Distances, matched: Flags, fold: Folds, verdict: Verdict, *, title: str, path: Path
) -> None:
    """Write a PNG. The mean curve is vertical: at each false positive rate the sets' mean rate."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 6.6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)  # takes the figure: no window, no pyplot
    axes = figure.add_subplot(
        xlabel="false positive rate", ylabel="true positive rate", aspect="equal"
    )
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="chance")
    for k in range(len(verdict.auc)):
        rates = roc(distances[fold == k], matched[fold == k])
        label = f"each of the {len(verdict.auc)} sets" if k == 0 else None
        axes.plot(*rates, color=ORANGE, alpha=0.55, linewidth=0.8, label=label)
    grid = np.linspace(0, 1, 501)
    mean = mean_roc(distances, matched, fold, grid=grid)
    label = f"mean, AUC {verdict.auc.mean():.3f} ± {verdict.auc.std(ddof=1):.3f} (std over sets)"
    axes.plot([0, *grid], [0, *mean], color=BLUE, linewidth=2.4, label=label)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=11, wrap=True)
    axes.grid(alpha=0.25)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="lower right", frameon=False)
    page = BytesIO()
    figure.savefig(page, format="png")
    write_whole(path, page.getvalue())
