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


def test_the_legend_has_everybody_also_a_name_with_an_underscore_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list = []
    monkeypatch.setattr(drawing, "save", lambda figure, path: kept.append(figure))
    nobody = Neighbours(np.zeros((3, 0), np.int64), np.zeros((3, 0)))
    maps = [Map("after", np.zeros((3, 2), np.float32), nobody)]
    draw_map_sheet(maps, ["_Ann", "Bo", "_Ann"], title="", path=tmp_path / "umap.png")
    (legend,) = kept[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["Bo", "_Ann"]


def test_a_unit_is_as_long_in_both_directions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list = []
    monkeypatch.setattr(drawing, "save", lambda figure, path: kept.append(figure))
    points = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32) * [10, 1]
    nobody = Neighbours(np.zeros((60, 0), np.int64), np.zeros((60, 0)))
    maps = [Map(when, points, nobody) for when in ("before", "after")]
    draw_map_sheet(maps, ["Ann"] * 60, title="", path=tmp_path / "umap.png")
    kept[0].canvas.draw()
    for axes in kept[0].axes:
        (x, y), (right, up) = axes.transData.transform([[0, 0], [1, 1]])
        assert right - x == pytest.approx(up - y)
        assert axes.bbox.width == pytest.approx(axes.bbox.height)
        assert axes.viewLim.containsx(points[:, 0].max())
        assert axes.viewLim.containsx(points[:, 0].min())


def test_no_two_of_twenty_people_are_drawn_alike() -> None:
    looks = {(k % len(COLOURS), k % len(MARKERS)) for k in range(20)}
    assert len(looks) == 20
