"""The thread that reads the source, and opens it again when it is lost."""

import threading
import time
from typing import NamedTuple

from tripletlab.errors import brief
from tripletlab.webcam.latest import Latest
from tripletlab.webcam.sources import Picture, SourceError, open_source

AGAIN = 3.0  # seconds until a lost source is tried again
SILENT = 2.0  # seconds without a picture, after which that is said


class Frame(NamedTuple):
    """A picture, and when it came (time.monotonic)."""

    picture: Picture
    at: float


class CameraThread(threading.Thread):
    """Puts pictures into `frames`; `trouble` says why there are none, or is empty."""

    def __init__(self, given: str) -> None:
        super().__init__(name="camera", daemon=True)
        self.frames: Latest[Frame] = Latest()
        self._given = given
        self._lost = ""
        self._heard = time.monotonic()
        self._stopped, self._again = threading.Event(), threading.Event()

    @property
    def trouble(self) -> str:
        """What keeps pictures from coming, in words for the person before the screen."""
        quiet = time.monotonic() - self._heard
        if not self._lost and quiet > SILENT:
            return f"No picture for {quiet:.0f} seconds. Is the camera still plugged in?"
        return self._lost

    def retry(self) -> None:
        """Try a lost source now."""
        self._again.set()

    def stop(self) -> None:
        """End the thread after the picture that it waits for."""
        self._stopped.set()
        self._again.set()

    def run(self) -> None:
        """Read, until stopped; when the source is lost, wait and open it again."""
        while not self._stopped.is_set():
            try:
                self._play()
            except Exception as lost:  # told in the window: there is nobody to raise it to
                unforeseen = f"The source has failed: {type(lost).__name__}: {brief(lost)}"
                self._lost = str(lost) if isinstance(lost, SourceError) else unforeseen
                self._again.wait(AGAIN)
                self._again.clear()

    def _play(self) -> None:
        source = open_source(self._given)
        try:
            while not self._stopped.is_set():
                frame = Frame(source.read(), time.monotonic())
                self._heard, self._lost = frame.at, ""
                self.frames.put(frame)
        finally:
            source.close()
