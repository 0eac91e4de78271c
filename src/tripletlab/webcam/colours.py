"""The app's colours, and what green, amber and red mean.

A second palette beside the figures' (plots.style): it is for light text on a dark window, where
the figures' colours, made for white paper, are too dark."""

from tripletlab.recognition.search import is_match

Colour = tuple[float, float, float, float]

CLOSE = 0.15  # of the threshold: a decision within it is a close one


def _hex(code: str) -> Colour:
    red, green, blue = (int(code[place : place + 2], 16) / 255 for place in (0, 2, 4))
    return red, green, blue, 1.0


BACKGROUND = _hex("0f1115")
PANEL = _hex("171a21")
CARD = _hex("20242d")
PRESSED = _hex("323847")
TEXT = _hex("eceff4")
MUTED = _hex("9aa3b2")
ACCENT = _hex("5b9dff")
GREEN, AMBER, RED = _hex("4cd07d"), _hex("ffb84d"), _hex("ff6b6b")
GREY = _hex("b6bdc9")


def colour_of(distance: float | None, threshold: float) -> Colour:
    """Green for a known person, red for a stranger, amber for a close decision.

    Grey where there is nobody to compare with.
    """
    if distance is None:
        return GREY
    if abs(distance - threshold) <= CLOSE * threshold:
        return AMBER
    return GREEN if is_match(distance, threshold) else RED
