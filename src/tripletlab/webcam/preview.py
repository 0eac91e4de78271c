"""The live picture with a frame around every face."""

import functools
from typing import Any

from kivy.core.text import Label as Text
from kivy.graphics import Color, Line, Rectangle, RoundedRectangle
from kivy.graphics.texture import Texture
from kivy.metrics import dp, sp
from kivy.properties import BooleanProperty
from kivy.uix.widget import Widget

from tripletlab.recognition.recogniser import Recognised
from tripletlab.webcam.colours import BACKGROUND, colour_of
from tripletlab.webcam.sources import Picture


class Preview(Widget):
    """Shows pictures as large as fits; `mirrored` as people expect of their own camera."""

    mirrored = BooleanProperty(False)
    details = BooleanProperty(False)  # distances beside the names

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._texture: Any = None
        self._people: list[Recognised] = []
        self._threshold = 0.0
        with self.canvas:
            Color(1, 1, 1, 1)
            self._picture = Rectangle()
        self.bind(pos=self._lay_out, size=self._lay_out)

    def show(self, picture: Picture) -> None:
        """Show a picture."""
        height, width = picture.shape[:2]
        if self._texture is None or self._texture.size != (width, height):
            self._texture = Texture.create((width, height), colorfmt="bgr")
            self._picture.texture = self._texture
            self._lay_out()
        self._texture.blit_buffer(picture.reshape(-1), colorfmt="bgr", bufferfmt="ubyte")
        left, right = (1, 0) if self.mirrored else (0, 1)
        self._picture.tex_coords = (left, 1, right, 1, right, 0, left, 0)  # row 0 is the top
        self.canvas.ask_update()

    def frame(self, people: list[Recognised], threshold: float) -> None:
        """Draw a frame around each of these people."""
        self._people, self._threshold = people, threshold
        self._frame()

    def _lay_out(self, *_: object) -> None:
        if self._texture is None:
            return
        width, height = self._texture.size
        self._scale = min(self.width / width, self.height / height)
        self._picture.size = (width * self._scale, height * self._scale)
        self._picture.pos = (
            self.x + (self.width - self._picture.size[0]) / 2,
            self.y + (self.height - self._picture.size[1]) / 2,
        )
        self._frame()

    def _frame(self) -> None:
        self.canvas.after.clear()
        if self._texture is None:
            return
        with self.canvas.after:
            for person in self._people:
                self._frame_one(person)

    def _frame_one(self, person: Recognised) -> None:
        box = person.found.box
        width, height = self._texture.size
        across = width - box.x - box.side if self.mirrored else box.x
        x = self._picture.pos[0] + across * self._scale
        y = self._picture.pos[1] + (height - box.y - box.side) * self._scale
        side = box.side * self._scale
        nearest = person.nearest[0] if person.nearest else None
        Color(*colour_of(nearest.distance if nearest else None, self._threshold))
        Line(rounded_rectangle=(x, y, side, side, dp(8)), width=dp(1.6))
        name = person.name or "unknown"
        label = _text(
            f"{name}  {nearest.distance:.3f}" if nearest and self.details else name,
            int(self.width - dp(32)),
        )
        # The label stands below the face, or inside its frame where the picture ends.
        foot = max(y - label.height - dp(8), self.y)
        left = min(max(x, self.x), self.x + self.width - label.width - dp(16))
        size = (label.width + dp(16), label.height + dp(4))
        RoundedRectangle(pos=(left, foot), size=size, radius=[dp(6)])
        Color(*BACKGROUND)
        Rectangle(texture=label, pos=(left + dp(8), foot + dp(2)), size=label.size)


@functools.lru_cache(maxsize=64)
def _text(text: str, width: int) -> Any:
    """A text as a white texture, in lines of at most `width` pixels."""
    label = Text(text=text, font_size=sp(16), bold=True)
    label.refresh()
    if label.texture.width > width:
        label = Text(text=text, font_size=sp(13), bold=True, text_size=(width, None))
        label.refresh()
    return label.texture
