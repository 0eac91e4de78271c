"""The parts of the window that layout.kv lays out: rows of people, dialogs, cards."""

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


class FlatButton(Button):
    """A flat button."""

    fill = ColorProperty(CARD)


class PersonRow(BoxLayout):
    """A row of the list: a person, the number of photos, and buttons."""

    name = StringProperty()
    photos = NumericProperty()


class MatchCard(BoxLayout):
    """A card of the panel: an enrolled person near the most prominent face."""

    name = StringProperty()
    distance = StringProperty()
    colour = ColorProperty(MUTED)
    texture = ObjectProperty(None, allownone=True)


class Dialog(ModalView):
    """Asks for confirmation, and for a name where `named`; shows the InputError of what it does."""

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
        """Focus the field with its text selected; without a field, Enter confirms."""
        if self.named:
            self.ids.field.focus = True
            self.ids.field.select_all()
        else:
            Window.bind(on_key_down=self._on_key)

    def on_dismiss(self) -> None:
        """Release the keyboard."""
        Window.unbind(on_key_down=self._on_key)

    def _on_key(self, _window: object, key: int, *_: object) -> bool:
        if key in (13, 271):  # Enter, also on the number pad
            self.confirm()
            return True
        return False

    def confirm(self) -> None:
        """Do it and close; stay open with the reason if it cannot be done."""
        try:
            self._do(self.ids.field.text if self.named else "")
        except InputError as error:
            self.problem = str(error)
        else:
            self.dismiss()


def texture_of(jpeg: bytes) -> Any:
    """The bytes of a JPEG file as a texture; None where they cannot be decoded."""
    picture = decode_photo(jpeg, colour=True)
    if picture is None:
        return None
    texture = Texture.create(picture.shape[1::-1], colorfmt="bgr")
    texture.blit_buffer(picture.reshape(-1), colorfmt="bgr", bufferfmt="ubyte")
    texture.flip_vertical()
    return texture
