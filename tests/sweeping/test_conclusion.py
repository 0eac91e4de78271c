"""What a sweep has shown, in sentences."""

import numpy as np

from tests.sweeping.test_table import ROWS, row
from tripletlab.sweeping.conclusion import (
    conclusion,
    effect_sentence,
    effects_table,
    equal_models,
    listed,
)
from tripletlab.sweeping.contrasts import Contrast, Effect
from tripletlab.sweeping.significance import Interval, Ranking
from tripletlab.sweeping.table import ModelRow


def found(best, leads, *, low=0.88, high=0.97, equals=(), contenders=()):
    own = Interval(0.93, low, high)
    return Ranking(best, own, leads, list(equals), list(contenders))


LEADS = {0: Interval(0.03, 0.01, 0.05), 2: Interval(0.02, 0.005, 0.035)}


def test_a_winner_has_an_interval_above_zero_over_every_other():
    text = conclusion(ROWS, found(1, LEADS), pairs=6000, people=36)
    assert text == (
        "The winner is hard 0.2, validation AUC 0.9300 (95 % interval 0.8800 to 0.9700; 6,000 pairs"
        " of 36 people that chose the epochs, and that no network was trained on)."
        " Its smallest lead is 0.0200 over hard 0.4"
        " (95 % interval 0.0050 to 0.0350, corrected for the choice among 3). With one seed each,"
        " this says nothing about other seeds."
    )


def test_without_a_winner_every_model_that_may_be_the_best_is_named():
    leads = {0: Interval(0.03, -0.01, 0.07), 2: Interval(0.02, -0.02, 0.06)}
    text = conclusion(ROWS, found(1, leads, contenders=[0, 2]), pairs=6000, people=36)
    assert text.startswith("No model won. The highest is hard 0.2, validation AUC 0.9300")
    assert "Its lead of 0.0200 over hard 0.4 (95 % interval −0.0200 to 0.0600, corrected" in text
    assert "may be chance, as may its lead over semihard 0.2." in text
    assert text.endswith(
        "The alias champion goes to the highest validation AUC, which is not shown to be better"
        " than the others."
    )


def test_no_better_than_chance_is_no_winner():
    text = conclusion(ROWS, found(1, LEADS, low=0.49, high=1.4), pairs=10, people=8)
    assert text.startswith("No model is shown to be better than chance. The highest is hard 0.2")
    assert "0.4900 to 1.0000" in text  # no AUC is above 1
    assert "win" not in text
    assert text.endswith("which is not shown to be better than chance.")


def test_fewer_than_eight_people_show_nothing():
    text = conclusion(ROWS, found(1, LEADS), pairs=10, people=7)
    assert text.startswith(
        "Nothing is shown with fewer than 8 validation people. The highest is hard"
    )
    assert "validation AUC 0.9300 (too few people for an interval; 10 pairs of 7 people" in text
    assert text.endswith("which is not shown to be better than the others.")


def test_models_of_the_same_auc_are_named():
    leads = LEADS | {2: Interval(0, 0, 0)}
    text = conclusion(ROWS, found(1, leads, equals=[2], contenders=[2]), pairs=10, people=8)
    assert "No model won" in text
    assert "hard 0.4 has the same AUC." in text


def test_with_several_seeds_the_conclusion_is_about_their_mean():
    of_seeds = row("hard", 0.90, 0.94)
    text = conclusion([of_seeds, ROWS[0]], found(0, {1: LEADS[2]}), pairs=9, people=8)
    assert "mean of 2 seeds" in text
    assert "other seeds" not in text
    assert f"One seed only: {ROWS[0].name}." in text
    assert "corrected" not in text  # of two there is one comparison


def model(name, **point):
    return ModelRow(name, point, ("run",), ({},))


def test_equal_networks_are_explained():
    rows = [
        model("semihard 0.2", miner="semihard", margin=0.2),
        model("hard 0.2", miner="hard", margin=0.2),
        model("hard 0.4", miner="hard", margin=0.4),
    ]
    one, other = np.array([0.1, 0.2]), np.array([0.1, 0.3])
    assert equal_models(rows, [[one], [other], [other.copy()]]) == (
        "hard 0.2 and hard 0.4 are the same network: they differ in margin, and where every"
        " triplet that the miner chooses violates each of these margins, the margin is a constant"
        " in the loss, without effect on its gradient."
    )
    assert "this changed nothing in their training" in equal_models(rows[:2], [[one], [one]])
    # Distances that are all equal are those of any collapsed network
    assert equal_models(rows[:2], [[one * 0], [one * 0]]) == ""
    # One seed of two is not enough
    assert equal_models(rows[1:], [[one, other], [one, one]]) == ""


EFFECTS = [
    Effect(
        Contrast("miner", "semihard", "hard", [(0, 1)]), Interval(-0.02, -0.03, -0.01), 0.0002, 3
    ),
    Effect(Contrast("margin", "0.2", "0.4", [(0, 1)]), Interval(0.01, -0.01, 0.03), 0.3, 3),
]


def test_the_better_value_of_an_axis_is_named():
    assert effect_sentence(EFFECTS, ablation=False) == (
        "Shown to matter: miner hard is better than semihard by 0.0200 (p < 0.001)."
    )
    assert effect_sentence(EFFECTS[1:], ablation=False) == (
        "No value of margin is shown to be better than another."
    )
    assert effect_sentence([], ablation=False) == ""


def test_an_ablation_says_what_matters_and_what_is_not_shown_to():
    changes = [
        one._replace(contrast=Contrast(axis, f"{axis}={value}", "recipe", [(1, 0)]))
        for one, axis, value in zip(EFFECTS, ("miner", "margin"), ("hard", 0.4), strict=True)
    ]
    assert effect_sentence(changes, ablation=True) == (
        "Changes that matter: miner=hard (−0.0200, p < 0.001). Not shown to matter: margin=0.4."
    )
    table = effects_table(changes, ablation=True)
    assert list(table.rows[0]) == [
        "miner=hard − recipe",
        "−0.0200",
        "−0.0300 to −0.0100",
        "< 0.001",
        "recipe is better",
    ]
    assert table.rows[1][-1] == "not shown"
    assert "over all other axes" not in effects_table(EFFECTS, ablation=False).note
    over_two = [
        one._replace(contrast=one.contrast._replace(pairs=[(0, 1), (2, 3)])) for one in EFFECTS
    ]
    assert "over all other axes" in effects_table(over_two, ablation=False).note
    assert "3 seeds; p is corrected for 2 comparisons (Holm)" in table.note
    assert "corrected" not in effects_table(changes[:1], ablation=True).note


def test_nobody_is_left_out_whose_name_is_as_short_as_saying_so():
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed([*"abcde"]) == "a, b, c, d and e"
    assert listed([*"abcdef"]) == "a, b, c, d and 2 more"
