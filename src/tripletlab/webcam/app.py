"""The app: what is shown when, and what buttons and keys do."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.lang import Builder

from tripletlab.errors import InputError
from tripletlab.webcam.content import Main
from tripletlab.webcam.counters import Counters
from tripletlab.webcam.guide import STEPS
from tripletlab.webcam.recognition import RecognisedFrame
from tripletlab.webcam.session import Session
from tripletlab.webcam.widgets import Dialog, texture_of

TICKS = 30  # a second
MESSAGE_SECONDS = 3.0  # that a message stays
TEXT_SECONDS = 0.25  # between changes of a text, so that it can be read
STEP = 0.01  # of the highest threshold, for each press of a key
KEYS = """R  record a person
Esc  cancel
Left, Right  lower, raise the threshold
0  reset the threshold to the bundle's
M  mirror the picture
F  full screen
H  show these keys
Ctrl+Q  quit"""


class WebcamApp(App):
    """The window of a session: what it shows, and what its buttons and keys do."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.title = "tripletlab"
        self._frame = self._result = 0  # serial numbers of the newest shown
        self._counters = Counters()
        self._text_changed = self._message_until = 0.0
        self._faces: dict[str, Any] = {}

    def build(self) -> Main:
        """The window's content."""
        Builder.load_file(str(Path(__file__).with_name("layout.kv")))
        return Main(threshold=self.session.threshold, highest=self.session.highest)

    def on_start(self) -> None:
        """Fill the window, bind the keys and start the session."""
        self.root.ids.preview.mirrored = self.session.mirrored
        self._list_people()
        self.set_threshold(self.session.threshold)
        self.keys = {
            "r": self.toggle_recording,
            "left": lambda: self._move_threshold(-STEP),
            "right": lambda: self._move_threshold(STEP),
            "0": lambda: self.set_threshold(self.session.bundle.card.threshold),
            "m": self._mirror,
            "f": self._full_screen,
            "h": self._help,
            "escape": self._cancel,
        }
        Window.bind(on_key_down=self._on_key)
        self.session.start()
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
        """Ask whom to record, or cancel the recording."""
        if self.session.recording:
            self._cancel()
        else:
            self.ask_record("")

    def ask_record(self, name: str) -> None:
        """Ask for a name and record; `name` is somebody who is recorded again."""
        detail = f"{len(STEPS)} photos are taken while you follow the prompts."
        if name:
            self._ask(
                lambda _: self.session.record(name, instead=True),
                title=f"Record {name} again?",
                detail=f"{detail} They replace the old ones.",
                yes="Record",
            )
        else:
            self._ask(self.session.record, title="Who is it?", detail=detail, yes="Record", text="")

    def ask_rename(self, name: str) -> None:
        """Ask for another name."""

        def rename(new: str) -> None:
            self.session.rename(name, new)
            self._list_people()

        self._ask(rename, title=f"Rename {name}", detail="", yes="Rename", text=name)

    def ask_delete(self, name: str) -> None:
        """Ask whether to delete a person."""

        def delete(_: str) -> None:
            self.session.delete(name)
            self._list_people()

        self._ask(
            delete, title=f"Delete {name}?", detail="The photos are deleted too.", yes="Delete"
        )

    def ask_forget(self) -> None:
        """Ask whether to delete everyone."""

        def forget(_: str) -> None:
            self.session.forget_everyone()
            self._list_people()

        count = len(self.session.gallery.people())
        detail = f"All {count} and their photos are deleted for good, and overwritten on the disk."
        self._ask(forget, title="Forget everyone?", detail=detail, yes="Forget")

    def _ask(self, do: Callable[[str], None], *, text: str | None = None, **words: str) -> None:
        Dialog(do, named=text is not None, text=text or "", **words).open()

    def _tick(self, _dt: float) -> None:
        now = time.monotonic()
        root = self.root
        root.trouble = self.session.trouble
        frame = self.session.camera.frames.after(self._frame)
        if frame:
            self._frame = frame[0]
            self._counters.shown(now)
            root.ids.preview.show(frame[1].picture)
        result = self.session.recognition.results.after(self._result)
        if result:
            self._result = result[0]
            self._show(result[1], now)
        if root.trouble:
            root.ids.preview.frame([], 0.0)
        root.show_recording(self.session.recording)
        if now > self._message_until:
            root.message = ""

    def _show(self, result: RecognisedFrame, now: float) -> None:
        """Pass a recognised frame to the counters, the recording, the preview and the panel."""
        self._counters.recognised(result, now)
        self._record(result, now)
        self.root.ids.preview.frame(result.people, self.session.threshold)
        if now - self._text_changed < TEXT_SECONDS:
            return
        self._text_changed = now
        self.root.counters = self._counters.line(now)
        self.root.show_nearest(
            result.people[0].nearest if result.people else [],
            threshold=self.session.threshold,
            face=self._face,
            empty="No face in sight" if self._known else "Record a person to begin",
        )

    def _record(self, result: RecognisedFrame, now: float) -> None:
        try:
            done = self.session.advance_recording(result)
        except InputError as error:  # the gallery cannot be written
            done, self.root.message = None, str(error)
            self._message_until = now + MESSAGE_SECONDS
        if done:
            self._list_people()
            self.root.message, self._message_until = f"{done} is recorded", now + MESSAGE_SECONDS

    def _face(self, name: str) -> Any:
        if name not in self._faces:
            pictures = self.session.gallery.pictures(name)
            self._faces[name] = texture_of(pictures[0]) if pictures else None
        return self._faces[name]

    def _refresh(self, _dt: float) -> None:
        if self.session.refresh():
            self._list_people()

    def _list_people(self) -> None:
        self._known = self.session.gallery.people()
        self._faces.clear()
        self.root.ids.people.data = [
            {"name": name, "photos": photos} for name, photos in self._known.items()
        ]
        self.root.show_threshold(self.session)

    def _on_key(self, _w: object, _key: int, _code: int, text: str, held: list[str]) -> bool:
        if "ctrl" in held:
            if _key == ord("q"):
                self.stop()
            return True
        if any(isinstance(child, Dialog) for child in Window.children):
            return False
        named = {27: "escape", 276: "left", 275: "right"}.get(_key, text or "")
        do = self.keys.get(named.lower())
        if do:
            do()
        return do is not None

    def _cancel(self) -> None:
        if self.session.recording:
            self.session.cancel()

    def _mirror(self) -> None:
        self.root.ids.preview.mirrored = not self.root.ids.preview.mirrored

    def _full_screen(self) -> None:
        Window.fullscreen = False if Window.fullscreen else "auto"

    def _help(self) -> None:
        self._ask(lambda _: None, title="Keys", detail=KEYS, yes="Close")
