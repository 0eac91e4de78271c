"""Identification as two curves: the rank of the right person, and open-set search."""

from pathlib import Path

import numpy as np

from tripletlab.evaluation.identification import Identified, cmc, tpir
from tripletlab.plots.style import BLUE, GREY, ORANGE, plain, save, sheet

LAST_RANK = 50


def draw_identification(identified: Identified, *, title: str, path: Path) -> None:
    """Write a PNG: the CMC, and TPIR over FPIR where there were searches for unknown people."""
    from matplotlib.ticker import MaxNLocator

    found, people, _ = identified
    figure = sheet(11.4, 4.6, title=title)
    closed, open_set = figure.subplots(1, 2)
    curve = cmc(found, people=max(people))[:LAST_RANK]
    ranks = np.arange(1, len(curve) + 1)
    plain(closed).plot(ranks, curve, color=BLUE, marker=".", label="this network")
    chance = {"color": GREY, "linestyle": "--", "linewidth": 1, "label": "chance"}
    closed.plot(ranks, ranks / max(people), **chance)
    closed.legend(loc="lower right", frameon=False)
    closed.set(xlabel="rank", ylabel="share of searches that found the person", ylim=(0, 1.02))
    closed.xaxis.set_major_locator(MaxNLocator(integer=True))
    closed.set_title(f"closed set: rank 1 in {curve[0]:.1%}, by chance {1 / max(people):.1%}")
    plain(open_set).set_title("open set: at rank 1 and below the threshold")
    unknown = int(np.count_nonzero(found.rank == 0))
    if unknown:
        rates = np.geomspace(1 / unknown, 1, 50)
        found_rates = [tpir(found, fpir=rate) for rate in rates]
        open_set.plot(rates, found_rates, color=ORANGE, drawstyle="steps-post")
    else:
        middle = {"transform": open_set.transAxes, "ha": "center"}
        open_set.text(0.5, 0.5, "no searches for people who are not enrolled", **middle)
    open_set.set(
        xscale="log",
        ylim=(0, 1.02),
        xlabel="false positive identification rate (FPIR)",
        ylabel="true positive identification rate (TPIR)",
    )
    save(figure, path)
