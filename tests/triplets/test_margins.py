"""Where each schedule begins, where it ends, and what lies between."""

import numpy as np
import pytest

from tripletlab.triplets.margins import adaptive, constant, cosine, linear, step

PROGRESS = np.linspace(0, 1, 41)
RISING = {
    "linear": lambda progress, start, end: linear(progress, distance=1, start=start, margin=end),
    "cosine": lambda progress, start, end: cosine(progress, distance=1, start=start, margin=end),
    "step": lambda progress, start, end: step(
        progress, distance=1, start=start, margin=end, stairs=3
    ),
}


def test_the_constant_margin_does_not_move():
    assert {constant(progress, distance=1, margin=0.4) for progress in PROGRESS} == {0.4}


@pytest.mark.parametrize("name", RISING)
@pytest.mark.parametrize(("start", "end"), [(0.1, 0.4), (0.4, 0.1)])
def test_from_the_start_to_the_margin_and_never_back(name, start, end):
    margins = [RISING[name](progress, start, end) for progress in PROGRESS]
    assert margins[0] == start
    assert margins[-1] == pytest.approx(end)
    assert (np.diff(margins) * np.sign(end - start) >= 0).all()


def test_the_shapes_between():
    assert RISING["linear"](0.25, 0.1, 0.5) == pytest.approx(0.2)
    assert RISING["cosine"](0.5, 0.1, 0.5) == pytest.approx(0.3)
    assert RISING["cosine"](0.25, 0.1, 0.5) == pytest.approx(0.1 + 0.4 * (1 - 0.5**0.5) / 2)
    stairs = [round(RISING["step"](progress, 0.1, 0.5), 9) for progress in PROGRESS]
    assert sorted(set(stairs)) == [0.1, 0.3, 0.5]
    assert [stairs.count(one) for one in (0.1, 0.3, 0.5)] == [14, 13, 14]


def test_the_adaptive_margin_follows_the_faces():
    def margin_at(distance, margin=0.4):
        return adaptive(0.5, distance=distance, share=0.5, least=0.02, margin=margin)

    assert [margin_at(d) for d in (0.001, 0.04, 0.4, 1.9)] == [0.02, 0.02, 0.2, 0.4]
    assert margin_at(1.0, margin=0.01) == 0.01
