"""Tiles on one canvas, and faces of any shape in squares."""

from pathlib import Path

import numpy as np
import pytest

from tests.plots.pictures import ORANGE, near, pair_store, read
from tripletlab.plots import montage
from tripletlab.plots.errors import shown
from tripletlab.plots.montage import LONGEST, SIDE, Panel, draw_montage, fitted, shorten, tiled


def test_pictures_lie_at_the_top_left_of_their_cells():
    pictures = [np.full((2, 3), value, np.uint8) for value in (10, 20, 30)]
    canvas = tiled([pictures[:2], pictures[2:]], columns=2, cell=(4, 5))
    assert canvas.shape == (8, 10)
    expected = np.full((8, 10), 255, np.uint8)
    expected[0:2, 0:3], expected[0:2, 5:8], expected[4:6, 0:3] = 10, 20, 30
    np.testing.assert_array_equal(canvas, expected)


def test_no_rows_and_empty_rows_are_white():
    assert tiled([], columns=3).shape == (0, 3 * SIDE)
    assert (tiled([[], []], columns=1) == 255).all()


@pytest.mark.parametrize("shape", [(64, 64), (200, 100), (100, 200), (7, 9), (1, 500), (500, 1)])
def test_a_picture_keeps_its_proportions_and_touches_the_square(shape):
    found = fitted(np.full(shape, 77, np.uint8))
    assert max(found.shape) == SIDE
    assert (found == 77).all()
    for side, other in zip(found.shape, shape, strict=True):
        assert side == pytest.approx(other * SIDE / max(shape), abs=1)
        assert side >= 1


@pytest.mark.parametrize("length", [0, 18, 19, 20, 300])
def test_a_caption_has_at_most_19_characters(length):
    text = "".join(chr(97 + k % 26) for k in range(length))
    short = shorten(text)
    assert len(short) == min(length, 19)
    assert (short == text) == (length <= 19)
    assert short[:10] == text[:10]
    assert short[-8:] == text[-8:]


def test_a_montage_shows_every_face_and_frames_what_was_not_found(tmp_path: Path) -> None:
    store = pair_store()
    pairs = [shown(store, pair, "0.5") for pair in (8, 9, 10)]
    assert pairs[0].middle == (False, False)
    draw_montage([Panel("some", pairs)], title="faces", path=tmp_path / "plain.png")
    image = read(tmp_path / "plain.png")
    for row in (8, 9, 10, 11):
        assert near(image, (row * 8,) * 3) > 2000
    assert near(image, ORANGE) == 0
    framed = [shown(store, 3, "0.5")]
    assert framed[0].middle == (True, False)
    draw_montage([Panel("some", framed)], title="faces", path=tmp_path / "framed.png")
    assert near(read(tmp_path / "framed.png"), ORANGE) > 100


def test_a_montage_of_nothing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = []
    for text in ("", montage.NONE):
        path = tmp_path / "none.png"
        monkeypatch.setattr(montage, "NONE", text)
        draw_montage([Panel("errors", [])] * 2, title="faces", path=path)
        images.append(read(path))
    silent, said = images
    assert silent.shape == said.shape
    columns = np.flatnonzero((silent != said).any(axis=(0, 2))) / said.shape[1]
    assert 0.2 < columns.min() < 0.3  # once in the middle of each panel
    assert 0.7 < columns.max() < 0.8


def test_long_names_keep_their_number() -> None:
    assert shorten("Ann_0001") == "Ann_0001"
    short = shorten("Person_With_A_Long_Name_0012")
    assert len(short) == LONGEST
    assert short.endswith("_0012")
