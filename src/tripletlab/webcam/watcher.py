"""The thread that recognises: always the newest picture, whatever came meanwhile is dropped."""

import threading
import time
from typing import NamedTuple

import cv2
import numpy as np

from tripletlab.faces.detection import Box
from tripletlab.recognition.recogniser import Recognised, Recogniser, embedded, identify, in_grey
from tripletlab.webcam.camera import Frame
from tripletlab.webcam.latest import Latest
from tripletlab.webcam.sources import Picture

LONGEST = 640  # pixels of a picture in which faces are looked for; larger ones are shrunk
PEOPLE = 3  # nearest ones told of a face


class Spent(NamedTuple):
    """Milliseconds for a picture."""

    detection: float
    embedding: float
    search: float


class Seen(NamedTuple):
    """The people in a picture; boxes in its pixels, the most prominent face first."""

    picture: Picture
    people: list[Recognised]
    spent: Spent
    dropped: int  # pictures passed over since the one before


class WatcherThread(threading.Thread):
    """Takes frames and puts what is seen into `seen`; `trouble` is the error that ended it."""

    def __init__(self, frames: Latest[Frame], recogniser: Recogniser) -> None:
        super().__init__(name="recognition", daemon=True)
        self.seen: Latest[Seen] = Latest()
        self.trouble = ""
        self._frames, self._recogniser = frames, recogniser
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the thread after the picture that it is at."""
        self._stopped.set()

    def run(self) -> None:
        """Look at the newest picture, until stopped."""
        serial = 0
        try:
            while not self._stopped.is_set():
                newest = self._frames.after(serial, timeout=0.2)
                if newest:
                    dropped, serial = newest[0] - serial - 1, newest[0]
                    self.seen.put(look(newest[1].picture, self._recogniser, dropped=dropped))
        except Exception as error:  # told in the window: there is nobody to raise it to
            self.trouble = f"Recognition has stopped: {type(error).__name__}: {error}"
            raise


def look(picture: Picture, recogniser: Recogniser, *, dropped: int = 0) -> Seen:
    """Who is in a picture, and how long each step took."""
    clock = [time.perf_counter()]
    shrink = min(1.0, LONGEST / max(picture.shape[:2]))
    grey = in_grey(picture)
    if shrink < 1:
        size = (round(grey.shape[1] * shrink), round(grey.shape[0] * shrink))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    boxes = recogniser.bundle.recipe.detector(grey)
    clock.append(time.perf_counter())
    faces = embedded(grey, boxes, recogniser.bundle)
    clock.append(time.perf_counter())
    enrolled, threshold = recogniser.enrolled, recogniser.threshold
    people = [identify(face, enrolled, threshold=threshold, people=PEOPLE) for face in faces]
    clock.append(time.perf_counter())
    people = [_enlarged(person, 1 / shrink) for person in people]
    spent = Spent(*(1000 * float(step) for step in np.diff(clock)))
    return Seen(picture, people, spent, dropped)


def _enlarged(person: Recognised, by: float) -> Recognised:
    box = Box(*(round(part * by) for part in person.found.box))
    return person._replace(found=person.found._replace(box=box))
