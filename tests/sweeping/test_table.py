"""The table and the Pareto front."""

import pytest
from rich.console import Console

from tripletlab.evaluation.metrics import METRICS, SCORE
from tripletlab.plots.page import markdown_table
from tripletlab.sweeping.table import (
    ModelRow,
    headings,
    model_table,
    pareto_front,
    print_table,
    scatter_note,
)


def metrics(score, flops=1.0):
    return {
        "test/precision": 0.86,
        "test/recall": 0.79,
        "test/accuracy": 0.83,
        "test/accuracy_std": 0.01,
        "test/auc": 0.9,
        "cost/flops": flops,
        SCORE: score,
    }


def row(name, *scores, flops=1.0):
    return ModelRow(name, {}, tuple(map(str, scores)), tuple(metrics(one, flops) for one in scores))


ROWS = [row("semihard 0.2", 0.90), row("hard 0.2", 0.93), row("hard 0.4", 0.91)]


@pytest.mark.parametrize(("width", "all_of_it"), [(80, False), (140, True)])
def test_a_narrow_screen_keeps_names_and_figures_whole(width, all_of_it, capsys):
    long = [row(f"nn4_small2_half, width 0.25, margin 0.{n}93", 0.9, 0.8) for n in range(3)]
    console = Console(width=width, highlight=False)
    print_table(long, title="t", shown=headings([]), bold=[], console=console)
    printed = capsys.readouterr().out
    assert "nn4_small2_half, width" in printed  # not folded letter by letter
    assert "0.8500 ± 0.0707" in printed
    assert ("precision" in printed) == all_of_it
    assert "\n± is the standard deviation over the seeds." in printed
    assert ("Precision and recall are in table.md" in printed) != all_of_it


def test_columns_without_room_go_to_a_table_below(capsys):
    more = [name for name, of in METRICS.items() if of.digits == 0 and not of.every_epoch]
    row = ModelRow(
        "inception_large7", {}, ("1",), ({**metrics(0.9), **dict.fromkeys(more, 123456)},)
    )
    print_table(
        [row], title="t", shown=headings(more), bold=[], console=Console(width=80, highlight=False)
    )
    printed = capsys.readouterr().out
    assert printed.count("123,456") == len(more) == 6
    assert "0.8300 ± 0.0100" in printed
    assert f"{0.9:.4f} │\n" in printed  # the validation AUC, at the right border
    assert printed.count("inception_large7") == 3
    assert max(map(len, printed.splitlines())) <= 80


def test_seeds_are_averaged_and_their_scatter_shown():
    of_seeds = row("hard", 0.90, 0.94)
    assert of_seeds.score == pytest.approx(0.92)
    assert of_seeds.figure(SCORE) == "0.9200 ± 0.0283"
    assert of_seeds.best_run == "0.94"


def test_figures_have_the_digits_of_their_metric():
    assert row("a", 0.9, flops=44_400_000).figure("cost/flops") == "44,400,000"
    assert row("a", 0.9).figure("val/of_ones_own") == "not known"


def test_costs_that_are_the_same_with_every_seed_have_no_scatter():
    assert row("a", 0.9, 0.8, flops=1234).figure("cost/flops") == "1,234"


def test_the_note_says_what_the_scatter_is_over():
    seeds, folds = row("a", 0.9, 0.8), row("b", 0.9)
    assert scatter_note([folds]) == "± is the standard deviation over the folds of the test pairs."
    assert scatter_note([seeds, seeds]) == "± is the standard deviation over the seeds."
    assert "over the seeds; of a single run, over the folds" in scatter_note([seeds, folds])


def test_columns_follow_the_papers():
    shown = headings(["cost/flops", SCORE, "cost/training_seconds"])
    assert list(shown)[-2:] == ["cost/flops", "cost/training_seconds"]
    assert shown["cost/training_seconds"] == "training seconds"


def test_the_pareto_front_is_what_nothing_dominates():
    objectives = {SCORE: "maximize", "cost/flops": "minimize"}
    rows = [
        row("best", 0.9, flops=10),
        row("cheap", 0.7, flops=1),
        row("dominated", 0.8, flops=20),
        row("twin", 0.7, flops=1),
        row("dearer", 0.7, flops=2),
    ]
    assert [one.name for one in pareto_front(rows, objectives)] == ["best", "cheap", "twin"]
    assert [one.name for one in pareto_front(ROWS, {SCORE: "maximize"})] == ["hard 0.2"]


def test_the_page_has_a_line_for_each_row():
    text = markdown_table(model_table(ROWS, headings(["cost/flops"]), note="n", bold=ROWS[1:2]))
    assert "| model | precision | recall | accuracy | AUC | validation AUC | flops |" in text
    assert "| --- | ---: |" in text
    assert "| hard 0.4 | 0.8600 | 0.7900 | 0.8300 ± 0.0100 | 0.9000 | 0.9100 | 1 |" in text
