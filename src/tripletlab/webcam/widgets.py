"""The parts of the window that look.kv lays out: rows of people, questions, cards."""

from collections.abc import Callable
from typing import Any

from kivy.core.window import Window
from kivy.graphics.texture import Texture
from kivy.properties import (
    ColorProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.button import Button
from kivy.uix.modalview import ModalView

from tripletlab.errors import InputError
from tripletlab.faces.cropping import decode_photo
from tripletlab.webcam.colours import CARD, MUTED


class Push(Button):
    """A flat button."""

    fill = ColorProperty(CARD)


class Person(BoxLayout):
    """A row of the list: who, how many photos, and what can be done."""

    name = StringProperty()
    photos = NumericProperty()


class Near(BoxLayout):
    """A card of the panel: a person near to the face that is looked at."""

    name = StringProperty()
    distance = StringProperty()
    colour = ColorProperty(MUTED)
    texture = ObjectProperty(None, allownone=True)


class Question(ModalView):
    """Asks for a yes, or for a name too where `text` is given; an InputError is shown in it."""

    title = StringProperty()
    detail = StringProperty()
    text = StringProperty()
    yes = StringProperty()
    problem = StringProperty()

    def __init__(self, do: Callable[[str], None], *, named: bool, **settings: Any) -> None:
        self._do, self.named = do, named
        super().__init__(**settings)
        if not named:
            self.ids.body.remove_widget(self.ids.field)

    def on_pre_open(self) -> None:
        """The field has the keyboard, all of its text selected; without one Enter means yes."""
        if self.named:
            self.ids.field.focus = True
            self.ids.field.select_all()
        else:
            Window.bind(on_key_down=self._on_key)

    def on_dismiss(self) -> None:
        """Give the keyboard back."""
        Window.unbind(on_key_down=self._on_key)

    def _on_key(self, _window: object, key: int, *_: object) -> bool:
        if key in (13, 271):  # Enter, and that of the number pad
            self.answer()
            return True
        return False

    def answer(self) -> None:
        """Do what was asked, and close unless it cannot be done."""
        try:
            self._do(self.ids.field.text if self.named else "")
        except InputError as error:
            self.problem = str(error)
        else:
            self.dismiss()


def texture_of(jpeg: bytes) -> Any:
    """A JPEG file's bytes as a texture; None where they are no picture."""
    picture = decode_photo(jpeg, colour=True)
    if picture is None:
        return None
    texture = Texture.create(picture.shape[1::-1], colorfmt="bgr")
    texture.blit_buffer(picture.reshape(-1), colorfmt="bgr", bufferfmt="ubyte")
    texture.flip_vertical()
    return texture
