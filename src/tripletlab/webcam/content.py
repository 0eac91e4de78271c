"""The window's content, and what is written in it; look.kv lays it out."""

from collections.abc import Callable, Sequence
from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from tripletlab.recognition.search import Match
from tripletlab.webcam import stage  # noqa: F401, look.kv names what is in it
from tripletlab.webcam.colours import colour_of
from tripletlab.webcam.guide import STEPS
from tripletlab.webcam.session import Recording, Session


class Main(BoxLayout):
    """The live picture, what lies over it, and the panel beside or below it."""

    wide = BooleanProperty(True)
    trouble = StringProperty()
    prompt = StringProperty()
    hint = StringProperty()
    progress = StringProperty()
    news = StringProperty()
    counters = StringProperty()
    nobody = StringProperty()
    threshold = NumericProperty()
    highest = NumericProperty(1.0)
    expected = StringProperty()

    def tell_recording(self, recording: Recording | None) -> None:
        """What the person who is recorded should do, or nothing."""
        self.prompt = recording.guide.prompt if recording else ""
        self.hint = recording.guide.hint if recording else ""
        self.progress = (
            f"{recording.name}: photo {len(recording.guide.taken) + 1} of {len(STEPS)}"
            if recording
            else ""
        )

    def tell_threshold(self, session: Session) -> None:
        """How often the threshold is wrong; a rate below one pair in all is not known better."""
        self.threshold = session.threshold
        far, far_of_any, tar = session.expected()
        card, people = session.bundle.card, len(session.gallery.enrolled.names)
        least = 1 / card.calibration.mismatched
        strangers = f"{far:.1%}" if far >= least else f"less than {least:.2%}"
        of_any = (
            f", for one of these {people} in {far_of_any:.1%}"
            if people > 1 and far >= least
            else ""
        )
        self.expected = (
            f"A stranger passes for a given person in {strangers} of cases{of_any}; a person's own"
            f" photos pass in {tar:.0%}. Measured on {card.photos}."
        )

    def show_nearest(
        self, nearest: Sequence[Match], *, threshold: float, face: Callable[[str], Any], empty: str
    ) -> None:
        """The people nearest to a face, `face` gives their photos; `empty` where there are none."""
        for place, card in enumerate(reversed(self.ids.near.children)):
            match = nearest[place] if place < len(nearest) else None
            card.name = match.name if match else ""
            if match:
                card.distance = f"{match.distance:.3f}"
                card.colour = colour_of(match.distance, threshold)
                card.texture = face(match.name)
        self.nobody = "" if nearest else empty
