"""The parts of the window that layout.kv lays out: rows of people, dialogs, cards."""

from collections.abc import Callable
from typing import Any

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.graphics.texture import Texture
from kivy.properties import (
    BooleanProperty,
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
    """A flat button; a `primary` one is what Enter does."""

    fill = ColorProperty(CARD)
    primary = BooleanProperty(False)


class PersonRow(BoxLayout):
    """A row of the list: a person, a photo, the number of photos, and a button."""

    name = StringProperty()
    photos = NumericProperty()
    version = NumericProperty()  # of the gallery, whose photo is shown


class MatchCard(BoxLayout):
    """A card of the panel: an enrolled person near the most prominent face."""

    name = StringProperty()
    distance = StringProperty()
    colour = ColorProperty(MUTED)
    texture = ObjectProperty(None, allownone=True)


class Overlay(ModalView):
    """A box over the window. Escape and Enter close it: nothing is lost by a key."""

    content_height = NumericProperty()

    def on_pre_open(self) -> None:
        """Listen for Enter; the base class listens for Escape."""
        Window.bind(on_key_down=self._on_key)

    def on_dismiss(self) -> None:
        """Release the keyboard."""
        Window.unbind(on_key_down=self._on_key)

    def _on_key(self, _window: object, key: int, *_: object) -> bool:
        if key in (13, 271):  # Enter, also on the number pad
            self.dismiss()
            return True
        return False


class Dialog(Overlay):
    """Asks for confirmation, or for a name where `named`; shows the InputError of what it does.

    Enter confirms a name. Without one the safe button is the default.
    """

    title = StringProperty()
    detail = StringProperty()
    text = StringProperty()
    yes = StringProperty()
    no = StringProperty("Cancel")
    problem = StringProperty()
    named = BooleanProperty(False)

    def __init__(self, do: Callable[[str], None] | None = None, **settings: Any) -> None:
        self._do = do
        super().__init__(**settings)
        if not self.named:
            self.ids.body.remove_widget(self.ids.field)

    def on_pre_open(self) -> None:
        """Focus the field, if there is one, with its text selected."""
        if self.named:
            Clock.schedule_once(self._focus)  # a field that is not laid out yet fails on a key
        else:
            super().on_pre_open()

    def _focus(self, _dt: float) -> None:
        self.ids.field.focus = True
        if not self.problem:
            self.ids.field.select_all()

    def confirm(self) -> None:
        """Do it and close; stay open with the reason, the field in focus, if it cannot be done."""
        try:
            if self._do:
                self._do(self.ids.field.text if self.named else "")
        except InputError as error:
            self.problem = str(error)
            if self.named:  # after the click, which has taken the focus away
                Clock.schedule_once(self._focus)
        else:
            self.dismiss()


class PersonDialog(Overlay):
    """What can be done with a person; `chosen` gets the word of the button."""

    name = StringProperty()
    texture = ObjectProperty(None, allownone=True)

    def __init__(self, chosen: Callable[[str], None], **settings: Any) -> None:
        self._chosen = chosen
        super().__init__(**settings)

    def choose(self, what: str) -> None:
        """Close, and do what was chosen."""
        self.dismiss(animation=False)
        self._chosen(what)


def texture_of(content: bytes) -> Any:
    """The bytes of a PNG or JPEG file as a texture; None where they cannot be decoded."""
    picture = decode_photo(content, colour=True)
    if picture is None:
        return None
    texture = Texture.create(picture.shape[1::-1], colorfmt="bgr")
    texture.blit_buffer(picture.reshape(-1), colorfmt="bgr", bufferfmt="ubyte")
    texture.flip_vertical()
    return texture
