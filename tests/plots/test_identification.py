"""The curves of identification, against the counts that they show."""

from pathlib import Path

import numpy as np
import pytest

from tests.plots.pictures import BLUE, ORANGE, near, read
from tripletlab.evaluation.identification import Identified, SearchResult
from tripletlab.plots import identification as drawing
from tripletlab.plots.identification import LAST_RANK, draw_identification


def test_identification_with_and_without_strangers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for strangers in (0, 50):
        rank = np.append(rng.integers(1, 12, 100), np.zeros(strangers, np.int64))
        found = SearchResult(rank, rng.random(100 + strangers))
        path = tmp_path / "identification.png"
        draw_identification(Identified(found, [12], [12]), title="a run", path=path)
        image = read(path)
        assert near(image, BLUE) > 100
        assert (near(image, ORANGE) > 100) == bool(strangers)


def test_without_strangers_the_panel_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list = []
    monkeypatch.setattr(drawing, "save", lambda figure, path: kept.extend(figure.axes))
    for rank in ([1, 2, 1], [1, 0, 1]):
        found = SearchResult(np.array(rank), np.zeros(3))
        draw_identification(Identified(found, [2], [2]), title="", path=tmp_path / "x.png")
    without, some = kept[1], kept[3]
    assert [one.get_text() for one in without.texts] == [
        "no searches for people who are not enrolled"
    ]
    assert not some.texts


@pytest.mark.parametrize("people", [3, 80])
def test_the_curve_is_the_share_found_up_to_each_rank(
    people: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list = []
    monkeypatch.setattr(drawing, "save", lambda figure, path: kept.extend(figure.axes))
    rank = np.random.default_rng(0).integers(0, people + 1, 200)  # 0: an unknown person
    found = SearchResult(rank, np.random.default_rng(1).random(200))
    draw_identification(Identified(found, [people], [people]), title="", path=tmp_path / "x.png")
    closed, open_set = kept
    ranks, curve = closed.lines[0].get_data()
    known = rank[rank > 0]
    assert ranks.tolist() == list(range(1, min(people, LAST_RANK) + 1))
    np.testing.assert_allclose(curve, [(known <= k).mean() for k in ranks])
    np.testing.assert_allclose(closed.lines[1].get_ydata(), ranks / people)  # chance
    assert all(float(tick).is_integer() for tick in closed.get_xticks())
    assert f"rank 1 in {(known == 1).mean():.1%}, by chance {1 / people:.1%}" in closed.get_title()
    rates, shares = open_set.lines[0].get_data()
    assert rates[0] == pytest.approx(1 / (rank == 0).sum())
    assert rates[-1] == pytest.approx(1)
    assert (np.diff(shares) >= 0).all()
