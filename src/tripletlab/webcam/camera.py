"""The thread that reads the source and reopens it when it is lost."""

import threading
import time
from typing import NamedTuple

from tripletlab.errors import brief
from tripletlab.webcam.mailbox import Mailbox
from tripletlab.webcam.sources import Picture, SourceError, open_source

RETRY_SECONDS = 3.0  # until a lost source is opened again
SILENT_SECONDS = 2.0  # without a picture before the window says so


class Frame(NamedTuple):
    """A picture, and when it arrived (time.monotonic)."""

    picture: Picture
    at: float


class CameraThread(threading.Thread):
    """Puts frames into `frames`; `trouble` says why there are none, or is empty."""

    def __init__(self, given: str) -> None:
        super().__init__(name="camera", daemon=True)
        self.frames: Mailbox[Frame] = Mailbox()
        self._given = given
        self._lost = ""
        self._arrived = time.monotonic()
        self._stopped, self._again = threading.Event(), threading.Event()

    @property
    def trouble(self) -> str:
        """Why no pictures arrive, as a sentence for the window; empty while they do."""
        quiet = time.monotonic() - self._arrived
        if not self._lost and quiet > SILENT_SECONDS:
            return f"No picture for {quiet:.0f} seconds. Is the camera still plugged in?"
        return self._lost

    def retry(self) -> None:
        """Open a lost source now."""
        self._again.set()

    def stop(self) -> None:
        """End the thread once the picture it waits for has arrived."""
        self._stopped.set()
        self._again.set()

    def run(self) -> None:
        """Read until stopped; when the source is lost, wait and open it again."""
        while not self._stopped.is_set():
            try:
                self._play()
            except Exception as lost:  # shown in the window: no caller could handle it
                unforeseen = f"The picture has failed: {type(lost).__name__}: {brief(lost)}"
                self._lost = str(lost) if isinstance(lost, SourceError) else unforeseen
                self._again.wait(RETRY_SECONDS)
                self._again.clear()

    def _play(self) -> None:
        source = open_source(self._given)
        try:
            while not self._stopped.is_set():
                frame = Frame(source.read(), time.monotonic())
                self._arrived, self._lost = frame.at, ""
                self.frames.put(frame)
        finally:
            source.close()
