"""The table, the Pareto front, and the conclusion."""

import pytest
from rich.console import Console

from tripletlab.evaluation.metrics import METRICS, SCORE
from tripletlab.sweeping.significance import Interval, Ranking
from tripletlab.sweeping.table import (
    ModelRow,
    conclusion,
    headings,
    markdown,
    pareto_front,
    print_table,
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


def found(best, leads, *, low=0.88, high=0.97, equals=(), contenders=()):
    own = Interval(0.93, low, high)
    return Ranking(best, own, leads, list(equals), list(contenders))


LEADS = {0: Interval(0.03, 0.01, 0.05), 2: Interval(0.02, 0.005, 0.035)}


def test_a_winner_has_an_interval_above_zero_over_every_other():
    text = conclusion(ROWS, found(1, LEADS), pairs=6000, people=36)
    assert text == (
        "The winner is hard 0.2, validation AUC 0.9300 (95 % interval 0.8800 to 0.9700; 6,000 pairs"
        " of 36 people that no network was trained on). Its smallest lead is 0.0200 over hard 0.4"
        " (95 % interval 0.0050 to 0.0350, corrected for the choice among 3). With one seed each,"
        " this says nothing about other seeds."
    )


def test_without_a_winner_every_model_that_may_be_the_best_is_named():
    leads = {0: Interval(0.03, -0.01, 0.07), 2: Interval(0.02, -0.02, 0.06)}
    text = conclusion(ROWS, found(1, leads, contenders=[0, 2]), pairs=6000, people=36)
    assert text.startswith("No model won. The highest is hard 0.2, validation AUC 0.9300")
    assert "Its lead of 0.0200 over hard 0.4 (95 % interval -0.0200 to 0.0600, corrected" in text
    assert "may be chance, as may its lead over semihard 0.2." in text
    assert text.endswith(
        "The alias champion goes to the highest validation AUC, which is not shown to be better"
        " than the others."
    )


def test_no_better_than_chance_is_no_winner():
    text = conclusion(ROWS, found(1, LEADS, low=0.49, high=1.4), pairs=10, people=4)
    assert text.startswith("No model is shown to be better than chance. The highest is hard 0.2")
    assert "0.4900 to 1.0000" in text  # no AUC is above 1
    assert "win" not in text
    assert text.endswith("which is not shown to be better than chance.")


def test_models_of_the_same_auc_are_named():
    leads = LEADS | {2: Interval(0, 0, 0)}
    text = conclusion(ROWS, found(1, leads, equals=[2], contenders=[2]), pairs=10, people=4)
    assert "No model won" in text
    assert "hard 0.4 has the same AUC." in text


@pytest.mark.parametrize(("width", "all_of_it"), [(80, False), (140, True)])
def test_a_narrow_screen_keeps_names_and_figures_whole(width, all_of_it, capsys):
    long = [row(f"nn4_small2_half, width 0.25, margin 0.{n}93", 0.9, 0.8) for n in range(3)]
    console = Console(width=width, highlight=False)
    print_table(long, title="t", shown=headings([]), bold=[], console=console)
    printed = capsys.readouterr().out
    assert "nn4_small2_half, width" in printed  # not folded letter by letter
    assert "0.8500 ± 0.0707" in printed
    assert ("precision" in printed) == all_of_it


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
    text = conclusion([of_seeds, ROWS[0]], found(0, {1: LEADS[2]}), pairs=9, people=4)
    assert "mean of 2 seeds" in text
    assert "other seeds" not in text
    assert "corrected" not in text  # of two there is one comparison


def test_figures_have_the_digits_of_their_metric():
    assert row("a", 0.9, flops=44_400_000).figure("cost/flops") == "44,400,000"
    assert row("a", 0.9).figure("val/of_ones_own") == "not known"


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


def test_markdown_has_a_line_for_each_row():
    text = markdown(ROWS, title="t", shown=headings(["cost/flops"]), conclusion="c")
    assert "| model | precision | recall | accuracy | AUC | validation AUC | flops |" in text
    assert "| hard 0.4 | 0.8600 | 0.7900 | 0.8300 ± 0.0100 | 0.9000 | 0.9100 | 1 |" in text
