"""The worst errors of a model: which pairs, in which order, under which names."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.plots.pictures import pair_store, read
from tripletlab.plots.errors import draw_errors, shown
from tripletlab.plots.montage import COLUMNS, ROWS


@pytest.mark.parametrize("cut", [(0.4, 0.6), (4.0, -1.0)])
def test_the_worst_errors_come_first_and_correct_decisions_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: tuple[float, float]
) -> None:
    store, panels = pair_store(120), []
    monkeypatch.setattr(
        "tripletlab.plots.errors.draw_montage", lambda made, **_: panels.extend(made)
    )
    distances = np.random.default_rng(1).random(120)
    thresholds = np.array(cut)
    draw_errors(store, distances, thresholds, title="errors", path=tmp_path / "errors.png")
    excess = distances - thresholds[store.pairs.fold]
    wrong = {
        0: [k for k in range(120) if not store.pairs.matched[k] and excess[k] <= 0],
        1: [k for k in range(120) if store.pairs.matched[k] and excess[k] > 0],
    }
    for panel, (kind, chosen) in zip(panels, wrong.items(), strict=True):
        order = sorted(chosen, key=lambda k: -abs(excess[k]))[: COLUMNS * ROWS]
        assert [pair.lines[0] for pair in panel.pairs] == [f"{distances[k]:.3f}" for k in order]
        assert f"({len(chosen)};" in panel.heading, kind


@pytest.mark.parametrize(
    ("person", "source", "line"),
    [
        ("Ann", "lfw/Ann/Ann_0001.jpg", "Ann_0001"),  # LFW's own names
        ("n000001", "vgg/n000001/0012_01.jpg", "n000001/0012_01"),
        ("Bo", "a/Bo/Bob.v2.jpg", "Bob.v2"),
        ("A_Person_Of_A_Long_Name", "x/y/0007.jpg", "A_Person_O…ame/0007"),
    ],
)
def test_a_photo_has_its_persons_name_once(person, source, line) -> None:
    store = replace(pair_store(4), names=(person,) * 4, sources=(source,) * 4)
    pair = shown(store, 0, "0.123")
    assert pair.lines == ("0.123", line, line)
    assert pair.middle == (False, False)
    np.testing.assert_array_equal(pair.faces[1], store.images[1])


def test_without_errors_a_picture_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, panels = pair_store(6), []
    monkeypatch.setattr(
        "tripletlab.plots.errors.draw_montage", lambda made, **_: panels.extend(made)
    )
    distances = np.where(store.pairs.matched, 0.1, 3.0)
    draw_errors(store, distances, np.ones(2), title="", path=tmp_path / "errors.png")
    assert [len(panel.pairs) for panel in panels] == [0, 0]
    assert all("(0; the worst 0)" in panel.heading for panel in panels)


def test_a_threshold_is_accepted_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distance at the threshold is a match, so it is an error of two people alone."""
    store, panels = pair_store(8), []
    monkeypatch.setattr(
        "tripletlab.plots.errors.draw_montage", lambda made, **_: panels.extend(made)
    )
    draw_errors(store, np.ones(8), np.ones(2), title="", path=tmp_path / "errors.png")
    assert len(panels[0].pairs) == np.count_nonzero(~store.pairs.matched)
    assert len(panels[1].pairs) == 0


def test_the_picture_of_all_errors_is_written(tmp_path: Path) -> None:
    store, path = pair_store(), tmp_path / "errors.png"
    draw_errors(store, np.linspace(0, 1, 30), np.full(2, 0.5), title="errors", path=path)
    assert read(path).shape[1] > 1500
