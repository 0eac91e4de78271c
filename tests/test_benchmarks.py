"""The table of `make bench`: its parts, medians, quartiles and targets."""

from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.harness import Result, interleaved, number, ratios, table


@pytest.mark.parametrize(
    ("values", "target", "mark"),
    [
        ((0.9, 1.0, 5.0), {"least": 1.0}, "pass"),
        ((0.9, 0.99, 5.0), {"least": 1.0}, "falls short"),
        ((0.9, 1.0, 5.0), {"most": 0.95}, "falls short"),
        ((0.9, 0.9, 5.0), {"most": 0.95}, "pass"),
        ((0.9,), {}, ""),
        ((), {"least": 1.0}, "skipped"),
    ],
)
def test_the_median_is_held_to_the_target(values, target, mark):
    assert Result("speed", "×", values, **target).mark == mark


def test_a_line_has_value_quartiles_and_target():
    text = table([Result("speed", "×", (1.0, 2.0, 3.0), least=1.5), Result("peer", note="missing")])
    head, rule, *lines = text.splitlines()
    assert lines == [
        "| speed | 2 × | 1 to 3 | ≥ 1.5 | pass |  |",
        "| peer | – |  |  | skipped | missing |",
    ]
    assert {line.count("|") for line in (head, rule, *lines)} == {7}


def test_ways_take_turns_and_ratios_are_of_one_round():
    calls = []
    ways = {name: lambda name=name: calls.append(name) for name in "ab"}
    spent = interleaved(ways, rounds=2, title="turns")
    assert calls == list("ababab")  # the first two warm up
    assert {name: len(seconds) for name, seconds in spent.items()} == {"a": 2, "b": 2}
    assert ratios([1.0, 2.0], base=[3.0, 4.0]) == (3.0, 2.0)


def test_numbers_have_three_digits():
    assert [number(value) for value in (0.98765, 12.345, 1234.5)] == ["0.988", "12.3", "1,234"]


def test_every_module_of_a_part_is_measured(monkeypatch):
    folder = Path(__file__).parents[1] / "benchmarks"
    monkeypatch.syspath_prepend(folder)
    modules = [path.stem.removeprefix("bench_") for path in folder.glob("bench_*.py")]
    assert sorted(import_module("bench").PARTS) == sorted(modules)
