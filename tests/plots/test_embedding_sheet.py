"""The maps as a PNG: a colour and a marker for each person."""

from pathlib import Path

import numpy as np
import pytest

from tests.plots.pictures import near, read
from tripletlab.plots import embedding_sheet as drawing
from tripletlab.plots.embedding_map import COLOURS, Map
from tripletlab.plots.embedding_sheet import MARKERS, draw_map_sheet
from tripletlab.plots.projection import Neighbours


def test_the_maps_have_every_colour(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    nobody = Neighbours(np.zeros((60, 0), np.int64), np.zeros((60, 0)))
    maps = [Map(when, rng.normal(size=(60, 2)).astype(np.float32), nobody) for when in "ab"]
    names = [f"Person {k % 20}" for k in range(60)]
    draw_map_sheet(maps, names, title="a run", path=tmp_path / "umap.png")
    image = read(tmp_path / "umap.png")
    for colour in COLOURS:
        assert near(image, tuple(bytes.fromhex(colour[1:])[::-1])) > 100, colour


@pytest.mark.parametrize("people", [1, 7, 20])
def test_every_point_is_drawn_once_with_its_person(
    people: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list = []
    monkeypatch.setattr(drawing, "save", lambda figure, path: kept.extend(figure.axes))
    points = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    names = [f"<b>Person</b> {k % people}" for k in range(60)]
    nobody = Neighbours(np.zeros((60, 0), np.int64), np.zeros((60, 0)))
    maps = [Map("before", points, nobody), Map("after", -points, nobody)]
    draw_map_sheet(maps, names, title="", path=tmp_path / "umap.png")
    assert [axes.get_title() for axes in kept] == ["before", "after"]
    drawn = {one.get_label(): one.get_offsets() for one in kept[1].collections}
    assert set(drawn) == set(names)
    for name, offsets in drawn.items():
        np.testing.assert_allclose(offsets, -points[[n == name for n in names]])


def test_no_two_of_twenty_people_are_drawn_alike() -> None:
    looks = {(k % len(COLOURS), k % len(MARKERS)) for k in range(20)}
    assert len(looks) == 20
