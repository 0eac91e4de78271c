"""The window's content and its texts; layout.kv lays it out."""

from collections.abc import Callable, Sequence
from typing import Any

from kivy.properties import (
    AliasProperty,
    BooleanProperty,
    ColorProperty,
    NumericProperty,
    StringProperty,
)
from kivy.uix.boxlayout import BoxLayout

from tripletlab.recognition.recogniser import Recognised
from tripletlab.recognition.search import Match
from tripletlab.webcam import preview  # noqa: F401, layout.kv uses its class
from tripletlab.webcam.colours import GREY, colour_of
from tripletlab.webcam.guide import STEPS
from tripletlab.webcam.session import Recording, Session


class Main(BoxLayout):
    """The preview, its overlays, and the panel beside or below it."""

    wide = BooleanProperty(True)
    compact = BooleanProperty(False)
    panel_open = BooleanProperty(False)
    panel_only = AliasProperty(
        lambda self: self.compact and self.panel_open, bind=["compact", "panel_open"]
    )
    ready = BooleanProperty(False)  # there is a picture
    details = BooleanProperty(False)  # the technical figures are shown
    status = StringProperty()
    claim = StringProperty()  # whether it is the one person compared with; empty for 1:N
    claim_colour = ColorProperty(GREY)
    trouble = StringProperty()
    can_retry = BooleanProperty(False)  # the trouble is the camera's
    prompt = StringProperty()
    hint = StringProperty()
    progress = StringProperty()
    message = StringProperty()
    counters = StringProperty()
    nobody = StringProperty()
    threshold = NumericProperty()
    highest = NumericProperty(1.0)
    expected = StringProperty()

    def show_recording(self, recording: Recording | None) -> None:
        """Show what the person being recorded should do, or nothing."""
        if recording is None:
            self.prompt = self.hint = self.progress = ""
            return
        guide = recording.guide
        self.prompt, self.hint = guide.prompt or "The photos are not saved yet", guide.hint
        number = len(recording.shots) + (not guide.done)
        self.progress = f"{recording.name}: photo {number} of {len(STEPS)}"

    def show_claim(self, session: Session, people: Sequence[Recognised]) -> None:
        """Say whether the most prominent face is the person who is compared with 1:1."""
        name, nearest = session.compared_with, people[0].nearest if people else []
        own = nearest and nearest[0].name == name  # a frame may have been searched among everyone
        distance = nearest[0].distance if own else None
        self.claim_colour = colour_of(distance, session.threshold)
        if not name:
            self.claim = ""
        elif distance is None:
            self.claim = f"Is this {name}?"
        else:
            known = "Recognised" if people[0].name else "Not recognised"
            self.claim = f"{known} as {name}"

    def show_threshold(self, session: Session) -> None:
        """Show the error rates to expect; bounds where no pair of strangers was accepted."""
        self.threshold = session.threshold
        rates = session.expected()
        card, people = session.bundle.card, len(session.enrolled.names)
        less, up_to = ("less than ", "up to ") if rates.bounds else ("", "")
        of_any = f", as one of these {people} in {up_to}{_share(rates.far_of_any)}"
        recorded = (
            " With all photos recorded, a stranger passes as a given person in"
            f" {up_to}{_share(rates.far_of_person)}{of_any if people > 1 else ''}."
        )
        in_use = " In use it accepts more: the same people chose the network."
        self.expected = (
            f"One comparison accepts {less}{_share(rates.far)} of strangers and {rates.tar:.0%} of"
            f" a person's own photos.{recorded if people else ''} Measured on {card.photos}."
            f"{in_use if card.calibrated_on == 'validation' else ''}"
        )

    def show_nearest(
        self, nearest: Sequence[Match], *, threshold: float, face: Callable[[str], Any], empty: str
    ) -> None:
        """Show the people nearest to a face; `face` gives their photos, `empty` is for none."""
        for place, card in enumerate(reversed(self.ids.nearest.children)):
            match = nearest[place] if place < len(nearest) else None
            card.name = match.name if match else ""
            if match:
                card.distance = f"{match.distance:.3f}"
                card.colour = colour_of(match.distance, threshold)
                card.texture = face(match.name)
        self.nobody = "" if nearest else empty


def _share(rate: float) -> str:
    """A rate with one decimal, or two below 0.1 %, where one would be 0.0 %."""
    return f"{rate:.2%}" if rate < 0.001 else f"{rate:.1%}"
