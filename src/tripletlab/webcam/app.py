"""The app: what is shown when, and what buttons and keys do."""

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.lang import Builder

from tripletlab.errors import InputError
from tripletlab.recognition.recogniser import Recognised
from tripletlab.webcam.content import Main
from tripletlab.webcam.counters import Counters
from tripletlab.webcam.dialogs import Dialogs
from tripletlab.webcam.guide import NO_FACE
from tripletlab.webcam.recognition import RecognisedFrame, status
from tripletlab.webcam.session import Session
from tripletlab.webcam.sounds import Sounds
from tripletlab.webcam.widgets import Overlay, texture_of

TICKS = 30  # a second
MESSAGE_SECONDS = 3.0  # that a message stays
TEXT_SECONDS = 0.25  # between changes of a text, so that it can be read
STEP = 0.01  # of the highest threshold, for each press of a key


class WebcamApp(App):
    """The window of a session: what it shows, and what its buttons and keys do."""

    def __init__(self, session: Session, *, sound: bool = False) -> None:
        super().__init__()
        self.session = session
        self._sounds, self._sound_wanted = Sounds(), sound
        self.title = "tripletlab"
        self._version = 0  # of the list of people
        self._frame = self._result = 0  # serial numbers of the newest shown
        self._counters = Counters()
        self._text_changed = self._message_until = 0.0
        self._known: dict[str, int] = {}  # the people listed, and the number of photos of each
        self._faces: dict[str, Any] = {}

    def build(self) -> Main:
        """The window's content."""
        for name in ("widgets.kv", "layout.kv"):
            Builder.load_file(str(Path(__file__).with_name(name)))
        return Main(threshold=self.session.threshold, highest=self.session.highest)

    def on_start(self) -> None:
        """Fill the window, bind the keys and start the session."""
        self.root.ids.preview.mirrored = self.session.mirrored
        self.dialogs = Dialogs(
            self.session,
            changed=self._list_people,
            compare_with=self.compare_with,
            face=self.face,
        )
        self._list_people()
        self.set_threshold(self.session.threshold)
        self.keys = {
            "r": self.toggle_recording,
            "left": lambda: self._move_threshold(-STEP),
            "right": lambda: self._move_threshold(STEP),
            "0": lambda: self.set_threshold(self.session.strict),
            "b": lambda: self.set_threshold(self.session.balanced),
            "m": self._mirror,
            "f": self._full_screen,
            "s": self.switch_sounds,
            "t": self.toggle_details,
            "p": self.toggle_panel,
            "h": self.dialogs.keys,
            "escape": self._escape,
        }
        Window.bind(on_key_down=self._on_key)
        self.session.start()
        if self._sound_wanted:
            self.switch_sounds()
        Clock.schedule_interval(self._tick, 1 / TICKS)
        Clock.schedule_interval(self._refresh, 1)

    def on_stop(self) -> None:
        """End the session, which releases the camera."""
        self.session.stop()

    def set_threshold(self, value: float) -> None:
        """Use another threshold, and show the error rates to expect of it."""
        self.session.threshold = value
        self.root.show_threshold(self.session)

    def _move_threshold(self, step: float) -> None:
        self.set_threshold(self.session.threshold + step * self.session.highest)

    def toggle_recording(self) -> None:
        """Ask whom to record, or cancel the recording; without a picture there is nothing to do."""
        if self.session.recording:
            self.session.cancel()
        elif self.root.ready:
            self.dialogs.record()

    def toggle_details(self) -> None:
        """Show the technical figures, or the plain status."""
        self.root.details = not self.root.details

    def switch_sounds(self) -> None:
        """Switch the sounds on or off, and say so."""
        self._say(self._sounds.switch())

    def toggle_panel(self) -> None:
        """Show the panel in place of the picture, where there is no room for both."""
        self.root.panel_open = not self.root.panel_open

    def compare_with(self, name: str) -> None:
        """Compare with this person alone (1:1), or with everyone where the name is empty."""
        try:
            self.session.compare_with(name)
        except InputError as error:
            self._say(str(error))
        self.root.panel_open = False
        self.root.show_claim(self.session, [])
        self.root.show_threshold(self.session)

    def _tick(self, _dt: float) -> None:
        now = time.monotonic()
        root = self.root
        root.trouble, root.can_retry = self.session.trouble, self.session.can_retry
        frame = self.session.camera.frames.after(self._frame)
        if frame:
            self._frame = frame[0]
            self._counters.shown(now)
            root.ids.preview.show(frame[1].picture)
        root.ready = self._frame > 0 and not root.trouble
        result = self.session.recognition.results.after(self._result)
        if result:
            self._result = result[0]
            self._show(result[1], now)
        if root.trouble:
            self._show_nobody()
        root.show_recording(self.session.recording)
        if self.session.recording and root.trouble:
            root.hint = "The recording waits for the camera"
        if now > self._message_until:
            root.message = ""

    def _show(self, result: RecognisedFrame, now: float) -> None:
        """Pass a recognised frame to the counters, the recording, the preview and the panel."""
        self._counters.recognised(result, now)
        self._record(result)
        self._sounds.recognised(person.name for person in result.people if person.name)
        self.root.ids.preview.frame(result.people, self.session.threshold)
        if now - self._text_changed < TEXT_SECONDS:
            return
        self._text_changed = now
        self.root.counters = self._counters.line(now)
        self._write_people(result.people)

    def _write_people(self, people: Sequence[Recognised]) -> None:
        """Write who they are, and who is nearest to the most prominent face."""
        unlike = "Nobody can be compared with this face" if people else NO_FACE
        empty = unlike if self._known else "Record a person to begin"
        now = status(people) if self._known else empty
        self.root.status = "" if self.root.trouble else now
        self.root.show_claim(self.session, people)
        self.root.show_nearest(
            people[0].nearest if people else [],
            threshold=self.session.threshold,
            face=self.face,
            empty=empty,
        )

    def _show_nobody(self) -> None:
        """Show nobody until the next frame is recognised: nobody is in sight, or was deleted."""
        self.root.ids.preview.frame([], 0.0)
        self._text_changed = 0.0
        self._write_people([])

    def _record(self, result: RecognisedFrame) -> None:
        try:
            done = self.session.advance_recording(result)
        except InputError as error:  # the gallery cannot be written
            self._say(str(error))
        else:
            if done:
                self._list_people()
                self._sounds.recorded(done)
                self._say(f"{done} is recorded")

    def face(self, name: str, _version: int = 0) -> Any:
        """The texture of a person's first photo; None where there is none."""
        if name not in self._faces:
            pictures: list[bytes] = []
            with contextlib.suppress(InputError):  # damaged, or locked by another process
                pictures = self.session.gallery.pictures(name)
            self._faces[name] = texture_of(pictures[0]) if pictures else None
        return self._faces[name]

    def _refresh(self, _dt: float) -> None:
        before = self.session.gallery.enrolled
        try:
            self.session.refresh()
        except InputError as error:  # another process has damaged, deleted or changed the gallery
            self._say(str(error))
        if self.session.gallery.enrolled is not before:
            self._list_people()

    def _list_people(self) -> None:
        try:
            self._known = self.session.gallery.people()
        except InputError as error:  # damaged, or locked by another process
            self._say(str(error))
            return
        self._faces.clear()
        self._version += 1
        self.root.ids.people.data = [
            {"name": name, "photos": photos, "version": self._version}
            for name, photos in self._known.items()
        ]
        self._show_nobody()
        self.root.show_threshold(self.session)

    def _say(self, message: str) -> None:
        self.root.message, self._message_until = message, time.monotonic() + MESSAGE_SECONDS

    def _on_key(self, _w: object, key: int, _code: int, text: str, held: list[str]) -> bool:
        if "ctrl" in held and key == ord("q"):
            self.stop()
            return True
        if any(isinstance(child, Overlay) for child in Window.children):
            return False  # a field has its own keys, such as Ctrl+V
        if "ctrl" in held:
            return True
        named = {27: "escape", 276: "left", 275: "right"}.get(key, text or "")
        do = self.keys.get(named.lower())
        if do:
            do()
        return do is not None

    def _escape(self) -> None:
        if self.session.recording:
            self.session.cancel()
        else:
            self.compare_with("")

    def _mirror(self) -> None:
        self.root.ids.preview.mirrored = not self.root.ids.preview.mirrored

    def _full_screen(self) -> None:
        Window.fullscreen = False if Window.fullscreen else "auto"
