"""Tiles on one canvas, and faces of any shape in squares."""

import numpy as np
import pytest

from tripletlab.plots.montage import SIDE, fitted, shorten, tiled


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
