"""A comparison of models: which differences are called real, and that all three forms agree."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.plots.test_card import Page
from tripletlab.evaluation.comparison import Comparison, Difference, decide
from tripletlab.photos.pairs import Pairs
from tripletlab.plots import comparison
from tripletlab.plots.comparison import (
    LINES,
    adjusted,
    conclusion,
    draw_rocs,
    line_style,
    terminal,
    write_comparison,
)
from tripletlab.plots.page import Picture

NAMES = ("hard", "<soft>", "third")
SAME = Difference(0.0, -0.01, 0.01, 1.0)
COMPARED = {  # p of accuracy .02, .01, 1: adjusted .04, .03, 1
    (0, 1): Comparison(Difference(0.05, 0.01, 0.09, 0.02), SAME, 30, 10, 0.002, 0.9),
    (0, 2): Comparison(Difference(-0.08, -0.1, -0.02, 0.01), SAME, 5, 45, 0.001, 0.8),
    (1, 2): Comparison(SAME, Difference(0.02, 0.0, 0.04, 0.03), 7, 7, 1.0, 0.95),
}


def test_real_are_differences_whose_adjusted_p_is_small() -> None:
    rows = adjusted(COMPARED, NAMES)
    assert [row.p_accuracy for row in rows] == pytest.approx([0.04, 0.03, 1])
    assert rows[2].p_auc == pytest.approx(0.09)  # alone it would be real
    assert conclusion(rows).splitlines() == [
        "hard is better than <soft> in accuracy by 0.0500 (p 0.040).",
        "third is better than hard in accuracy by 0.0800 (p 0.030).",
        "3 comparisons; every p is adjusted for their number (Holm).",
    ]
    (alone,) = adjusted({(1, 2): COMPARED[1, 2]}, NAMES)
    assert conclusion([alone]).startswith("<soft> is better than third in AUC by 0.0200 (p 0.030).")
    none = adjusted({(0, 1): COMPARED[0, 1]._replace(accuracy=SAME)}, NAMES)
    assert conclusion(none) == "No difference is shown. One comparison."
    few = Difference(0.2, None, None, 1.0)
    none = adjusted({(0, 1): COMPARED[0, 1]._replace(accuracy=few, auc=few)}, NAMES)
    said = "No difference is shown: too few people for an interval. One comparison."
    assert conclusion(none) == said
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal(none, title="few people"))
    assert "p –" in console.export_text()


def test_terminal_page_and_files_have_the_same_figures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    matched, fold = np.tile([True, False], 60), np.arange(120) // 60
    pairs = Pairs(np.arange(120), np.arange(120), matched, fold)
    decisions = [
        decide(rng.normal(np.where(matched, 1.0, 1.6), noise), matched, fold)
        for noise in (0.2, 0.4, 0.8)
    ]
    roc = tmp_path / "roc.png"
    draw_rocs(decisions, matched, NAMES, title="three models", path=roc)
    rows = adjusted(COMPARED, NAMES)
    given = {"title": "three models", "folder": tmp_path, "pictures": [Picture("ROC", roc)]}
    write_comparison(rows, decisions, NAMES, pairs, **given)
    markdown = (tmp_path / "comparison.md").read_text()
    page = Page((tmp_path / "comparison.html").read_text())
    console = Console(width=80, record=True, file=(tmp_path / "terminal").open("w"))
    console.print(terminal(rows, title="three models"))
    printed = console.export_text()
    for figure in ("+0.0500", "+0.0100 to +0.0900", "−0.0800"):
        assert figure in markdown
        assert figure in page.texts
        assert figure in printed
    long = adjusted(COMPARED, [f"{name}, a network with a long name" for name in NAMES])
    console.print(terminal(long, title="nothing is cut off"))
    assert "…" not in console.export_text()
    assert "soft" not in page.tags
    plain = json.loads((tmp_path / "comparison.json").read_text())
    assert [one["holm"]["mcnemar"] for one in plain] == pytest.approx([0.004, 0.003, 1])
    accuracies = [
        f"{np.mean([one.correct[fold == k].mean() for k in (0, 1)]):.4f}" for one in decisions
    ]
    assert all(f"| {accuracy} ±" in markdown for accuracy in accuracies)


def test_the_legend_has_every_model_also_a_name_with_an_underscore_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list = []
    monkeypatch.setattr(comparison, "save", lambda figure, path: kept.append(figure))
    matched, fold = np.array([True, False] * 2), np.array([0, 0, 1, 1])
    decisions = [decide(np.array([0.1, 0.9, 0.2, 0.8]), matched, fold)] * 2
    draw_rocs(decisions, matched, ["_old", "new"], title="", path=tmp_path / "roc.png")
    linear = kept[0].axes[0]
    assert [text.get_text() for text in linear.get_legend().get_texts()] == ["_old", "new"]


def test_every_line_differs() -> None:
    assert len({colour for colour, _ in LINES}) == len(set(LINES)) == 7
    assert len({tuple(line_style(place).items()) for place in range(20)}) == 20
