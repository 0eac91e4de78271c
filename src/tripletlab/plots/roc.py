"""ROC curves of the LFW protocol: a thin one for every fold, a thick one for their mean."""

from pathlib import Path
from typing import Any

import numpy as np

from tripletlab.evaluation.operating_points import FARS, true_accept_rate
from tripletlab.evaluation.protocol import Distances, Flags, Folds, ProtocolResult, mean_roc, roc
from tripletlab.plots.style import BLUE, GREY, ORANGE, VERMILION, plain, save, sheet

LOW = 0.12  # a TAR whose label would cover the axis below it


def draw_roc(
    distances: Distances,
    matched: Flags,
    fold: Folds,
    result: ProtocolResult,
    *,
    title: str,
    path: Path,
) -> None:
    """Write a PNG: the folds and their mean, and all pairs at once on a logarithmic axis.

    The mean curve is averaged vertically, at each false accept rate over the folds.
    """
    figure = sheet(11.4, 6.0, title=title)
    linear, logarithmic = figure.subplots(1, 2)
    _linear(plain(linear), distances, matched, fold, result)
    _logarithmic(plain(logarithmic), distances, matched)
    save(figure, path)


def _linear(
    axes: Any, distances: Distances, matched: Flags, fold: Folds, result: ProtocolResult
) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="chance")
    for k in range(len(result.auc)):
        rates = roc(distances[fold == k], matched[fold == k])
        label = f"each of the {len(result.auc)} folds" if k == 0 else None
        axes.plot(*rates, color=ORANGE, alpha=0.55, linewidth=0.8, label=label)
    mean = mean_roc(distances, matched, fold)
    label = f"mean, AUC {result.auc.mean():.3f} ± {result.auc.std(ddof=1):.3f} (std over folds)"
    axes.plot(*mean, color=BLUE, linewidth=2.4, label=label)
    axes.set(
        xlabel="false accept rate",
        ylabel="true accept rate",
        aspect="equal",
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.01),
    )
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="lower right", frameon=False)


def _logarithmic(axes: Any, distances: Distances, matched: Flags) -> None:
    false, true = roc(distances, matched)
    least = 1 / np.count_nonzero(~matched)
    axes.plot(
        np.maximum(false, least / 2),
        true,
        color=BLUE,
        linewidth=2,
        drawstyle="steps-post",
        label=f"all {len(matched):,} pairs at once",
    )
    chance = np.geomspace(least, 1, 100)
    axes.plot(chance, chance, color=GREY, linestyle="--", linewidth=1, label="chance")
    for far in (far for far in FARS if far >= least):
        point = true_accept_rate(distances, matched, far=far)
        inside = VERMILION if point.supported else "white"
        axes.plot(far, point.tar, "o", color=VERMILION, markerfacecolor=inside, clip_on=False)
        few = "" if point.supported else "\n(too few pairs)"
        place: dict[str, Any] = {"xytext": (8, -4), "va": "top"}  # below the curve, which rises
        if point.tar < LOW:
            place = {"xytext": (0, 10), "va": "bottom", "ha": "center"}
        axes.annotate(
            f"{point.tar:.3f}{few}",
            (far, point.tar),
            textcoords="offset points",
            fontsize=9,
            **place,
        )
    axes.set(
        xscale="log",
        xlim=(least, 1),
        ylim=(-0.01, 1.01),
        xlabel="false accept rate (logarithmic)",
        ylabel="true accept rate",
    )
    axes.legend(loc="upper left", frameon=False)
