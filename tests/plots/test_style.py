"""The palette and the sheet that all figures share."""

from pathlib import Path

import numpy as np
import pytest

from tests.plots.pictures import read
from tripletlab.plots.style import GREY, PALETTE, plain, save, sheet


def luminance(colour: str) -> float:
    """WCAG's relative luminance, 0 to 1."""
    parts = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_grey_text_can_be_read_on_white() -> None:
    assert 1.05 / (luminance(GREY) + 0.05) > 4.5  # WCAG AA


def test_no_two_colours_of_the_palette_are_alike() -> None:
    rgb = [np.array([int(one[k : k + 2], 16) for k in (1, 3, 5)]) for one in PALETTE]
    distances = [np.linalg.norm(a - b) for k, a in enumerate(rgb) for b in rgb[:k]]
    assert min(distances) > 60


@pytest.mark.parametrize("title", ["a run", "a very long title " * 20, "", "$x_{$ <b>", "\\"])
def test_a_figure_is_saved_whole_whatever_its_title(title: str, tmp_path: Path) -> None:
    figure = sheet(4, 3, title=title)
    axes = plain(figure.subplots())
    axes.plot([1, 2], [1, 1000], label=title[:9] or " ")
    axes.legend()
    axes.set_yscale("log")
    save(figure, tmp_path / "figure.png")
    height, width, _ = read(tmp_path / "figure.png").shape
    assert (width, height) == (4 * 130, 3 * 130)
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]
    assert not axes.spines["top"].get_visible()
    assert axes.spines["left"].get_visible()
    exponents = [one for one in axes.get_yticklabels() if "10^" in one.get_text()]
    assert exponents
    assert not any(r"\$" in one.get_text() for one in exponents)
