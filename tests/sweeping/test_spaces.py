"""Spaces: what a file may say, the points of a grid, and what the samplers draw."""

from itertools import pairwise

import pytest

from tripletlab.errors import InputError
from tripletlab.sweeping.contrasts import contrasts_of
from tripletlab.sweeping.samplers import draw_points
from tripletlab.sweeping.space_files import read_space

RANDOM = "trials: 20\nsampler: {_target_: optuna.samplers.RandomSampler, seed: 1}\n"
CONDITIONAL = """
axes:
  miner: [semihard, hard]
  margin: {values: [0.2, 0.4], when: {miner: semihard}}
"""
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in pairwise("abcdefghijkl")
)


def space(tmp_path, text, changes=None):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return read_space(path, changes or {})


def test_cells_are_every_combination_the_last_axis_fastest(tmp_path):
    grid = space(tmp_path, "axes: {miner: [semihard, hard], margin: [0.2, 0.4]}")
    names = [grid.title(cell) for cell in grid.cells()]
    assert names == ["semihard 0.2", "semihard 0.4", "hard 0.2", "hard 0.4"]
    assert grid.runs == 4


def test_a_number_that_is_the_only_value_is_named_with_its_key(tmp_path):
    grid = space(tmp_path, "axes: {batches.people: [18, 20]}")
    assert [grid.title(cell) for cell in grid.cells()] == ["people 18", "people 20"]
    assert grid.title({"batches.people": 18}, 3) == "people 18, seed 3"
    texts = space(tmp_path, "axes: {miner: [hard, semihard]}")
    assert [texts.title(cell) for cell in texts.cells()] == ["hard", "semihard"]


def test_values_of_a_list_keep_their_digits_and_those_that_are_drawn_do_not(tmp_path):
    grid = space(tmp_path, "axes: {optimizer.ema_momentum: [0.999, 0.9995, 1.0], miner: [hard]}")
    assert [grid.title(cell) for cell in grid.cells()] == ["0.999 hard", "0.9995 hard", "1 hard"]
    alone = [contrast.name for contrast in contrasts_of(grid, grid.cells())][:1]
    assert alone == ["optimizer.ema_momentum: 0.999 − 0.9995"]
    drawn = space(
        tmp_path,
        "{axes: {margin: {low: 0.1, high: 0.8}}, trials: 1,"
        " sampler: {_target_: optuna.samplers.RandomSampler}}",
    )
    assert drawn.title({"margin": 0.123456}) == "margin 0.123"


def test_an_axis_exists_only_where_it_applies(tmp_path):
    grid = space(tmp_path, CONDITIONAL)
    assert [grid.title(cell) for cell in grid.cells()] == ["semihard 0.2", "semihard 0.4", "hard"]
    assert {"miner": "semihard", "margin": 0.4} in grid.corners()
    drawn_ones = draw_points(space(tmp_path, CONDITIONAL + RANDOM))
    assert all(("margin" in point) == (point["miner"] == "semihard") for point in drawn_ones)
    assert {point["miner"] for point in drawn_ones} == {"semihard", "hard"}


def test_ranges_are_drawn_within_their_ends_and_the_same_again(tmp_path):
    text = "axes: {margin: {low: 0.1, high: 0.6}, batches.steps: {low: 10, high: 40, step: 10}}\n"
    points = draw_points(space(tmp_path, text + RANDOM))
    assert all(0.1 <= point["margin"] <= 0.6 for point in points)
    assert {point["batches.steps"] for point in points} == {10, 20, 30, 40}
    assert draw_points(space(tmp_path, text + RANDOM)) == points
    assert points[0] != points[1]


def test_an_ablation_is_the_recipe_and_every_change_alone(tmp_path):
    text = "ablation: {miner: hard, margin: [0.4, 0.8]}"
    ablation = space(tmp_path, text, {"ablation.margin": 0.1})
    assert ablation.cells() == [{}, {"miner": "hard"}, {"margin": 0.1}]
    replaced = space(tmp_path, text, {"ablation": {"dtype": "auto"}})
    assert replaced.cells() == [{}, {"dtype": "auto"}]
    with pytest.raises(InputError, match=r"axes.margin: this space has ablation; give ablation.m"):
        space(tmp_path, text, {"axes.margin": [0.1]})
    with pytest.raises(InputError, match="an ablation has no sampler"):
        space(tmp_path, f"{text}\n{RANDOM}")


def test_a_number_written_as_1e_4_is_one(tmp_path):
    assert space(tmp_path, "axes: {optimizer.learning_rate: [1e-4]}").cells() == [
        {"optimizer.learning_rate": 1e-4}
    ]


def test_changes_replace_axes_and_the_keys_beside_them(tmp_path):
    changes = {"axes.margin": [0.3], "axes.fit.epochs": [1, 2], "seeds": [5, 6, 7]}
    changed = space(tmp_path, "axes: {margin: [0.1, 0.2]}", changes)
    assert changed.cells() == [{"margin": 0.3, "fit.epochs": 1}, {"margin": 0.3, "fit.epochs": 2}]
    assert changed.runs == 6
    drawing = {"sampler.seed": 9, "trials": 2}
    assert space(tmp_path, "axes: {margin: [0.1]}\n" + RANDOM, drawing).sampler["seed"] == 9


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("axes: {margin: 0.2}", "list of values"),
        ("axes: {margin: []}", "margin.*list of values"),
        ("margin: [0.2]", "axes:"),
        ("[]", "names and values"),
        ("axes: [", "not YAML"),
        ("axes: {margin: [0.2]}\ntrails: 3", "trails"),
        ("axes: {margin: {low: 1, high: 2}}", "a list of values, or a sampler"),
        ("axes: {margin: {low: 2, high: 1}}", "low, 2, is above high, 1"),
        ("axes: {margin: {low: 0, high: 1, log: true}}", "low above 0"),
        ("axes: {margin: {low: 0.1, high: .inf}}", "margin: high"),
        ("axes: {margin: {low: .nan, high: 0.4}}", "margin: low"),
        *(
            (f"axes: {{margin: {{low: 0.1, high: 0.4, step: {step}}}}}", "step is|step:")
            for step in ("-0.1", "0", "5", "1e-300", ".nan")
        ),
        ("axes: {margin: [.inf, 0.2]}", "inf is not a finite number"),
        ("axes: {margin: [.nan]}", "nan is not a finite number"),
        ("axes: {margin: ['${oc.env:HOME}']}", "give the value itself"),
        ("axes: {margin: ['${']}", "not YAML"),
        ("axes: {margin: [0.2, 0.3, 0.2]}", "0.2 is listed twice"),
        ("axes: {margin: [" + "9" * 5000 + "]}", "not YAML"),
        ("axes: {margin: [0.2]}\nseeds: [1, 1]", "1 is listed twice"),
        ("axes: {margin: [0.2]}\nseeds: [-1]", "greater than or equal to 0"),
        ("axes: {margin: [0.2]}\nseeds: [4294967296]", "less than 4294967296"),
        ("axes: {margin: [0.2]}\nname: other", "leave out `name`"),
        ("axes: {margin: [0.2]}\nobjectives: {}", "at least 1"),
        ("axes: {margin.: [0.2]}", "axis 'margin.'"),
        ('axes: {"mar\\ngin": [0.2]}', "axis 'mar"),
        ("axes: {miner: [hard], margin: {values: [1], when: {miner: []}}}", "when.miner"),
        ("axes: {miner: [hard], margin: {values: [1], when: {miner: soft}}}", "never soft"),
        ("3", "names and values"),
        ("1: 2\naxes: {margin: [0.2]}", "names and values"),
        ("axes: " + "[" * 2000 + "]" * 2000, "inside one another"),
        ("axes: " + "{a: " * 2000 + "}" * 2000, "inside one another"),
        ("axes: &a {margin: *a}", r"\*a stands inside &a"),
        (LAUGHS, "more than 20,000 values"),
        ("#" + "x" * 1_000_000, "bytes of YAML are too many"),
        ("axes: {" + ", ".join(f"a{n}: [1, 2, 3, 4, 5]" for n in range(20)) + "}", "10,000 runs"),
        (f"axes: {{margin: [0.2]}}\n{RANDOM}".replace("20", "1000000000000"), "10,000 runs"),
        ("axes: {margin: {values: [1], when: {miner: hard}}}", "no axis miner before it"),
        ("axes: {seed: [1, 2]}", "seeds:"),
        ("axes: {margin: [0.2]}\npredict: [500]", "no curve without a grid"),
        ("ablation: {batches.identities: [20, 40, 80]}\npredict: [500]", "no curve without"),
        ("axes: {margin: [0.2]}\ntrials: 3", "both, or neither"),
        ("axes: {margin: [0.2]}\nobjectives: {auc: best}", "maximize"),
        (
            "axes: {margin: [0.2]}\nobjectives: {auc: maximize}\n"
            "pruner: {_target_: optuna.pruners.MedianPruner}",
            "validation AUC",
        ),
    ],
)
def test_a_malformed_space(text, hint, tmp_path):
    with pytest.raises(InputError, match=hint) as refused:
        space(tmp_path, text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_aliases_within_bounds_are_read(tmp_path):
    text = "axes: {miner: &a [hard, semihard], loss: *a}"
    assert len(space(tmp_path, text).cells()) == 4


def test_a_step_as_wide_as_the_range_is_one(tmp_path):
    text = "axes: {margin: {low: 0.1, high: 0.3, step: 0.2}}\n"
    assert {point["margin"] for point in draw_points(space(tmp_path, text + RANDOM))} == {0.1, 0.3}


@pytest.mark.parametrize("axes", ["", "[miner]"])
def test_an_axis_cannot_be_added_to_what_is_no_mapping(tmp_path, axes):
    path = tmp_path / "space.yaml"
    path.write_text(f"axes: {axes}\n")
    with pytest.raises(InputError, match=r"axes.margin: axes has no keys in the file"):
        read_space(path, {"axes.margin": [0.1, 0.3]})


@pytest.mark.parametrize("key", ["trials.x", "sampler.seed.x", "objectives.a.b.c"])
def test_a_change_inside_what_has_no_keys_is_refused(tmp_path, key):
    objectives = "objectives: {a: {b: 1}}\n"
    with pytest.raises(InputError, match="has no keys"):
        space(tmp_path, f"axes: {{margin: [0.1]}}\n{RANDOM}{objectives}", {key: 1})


def test_a_missing_space_names_those_that_are_there(tmp_path):
    (tmp_path / "here.yaml").touch()
    with pytest.raises(InputError, match="has here"):
        read_space(tmp_path / "missing.yaml")
