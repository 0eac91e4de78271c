"""The thread that recognises: always the newest frame; those that arrive meanwhile are dropped."""

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from tripletlab.errors import starved
from tripletlab.faces.detection import Box
from tripletlab.recognition.recogniser import Recognised, Recogniser, as_wanted, embedded, identify
from tripletlab.webcam.camera import Frame
from tripletlab.webcam.guide import NO_FACE
from tripletlab.webcam.mailbox import Mailbox
from tripletlab.webcam.sources import Picture

LONGEST = 640  # pixels along the longer side; larger pictures are shrunk for the detection
PEOPLE = 3  # nearest ones reported for each face


class Timings(NamedTuple):
    """Milliseconds for a frame."""

    detection: float
    embedding: float
    search: float


class RecognisedFrame(NamedTuple):
    """The people in a picture; boxes in its pixels, the most prominent face first."""

    picture: Picture
    people: list[Recognised]
    timings: Timings
    dropped: int  # frames since the one before


class RecognitionThread(threading.Thread):
    """Turns frames into `results`; `trouble` is the error that ended it, or empty."""

    def __init__(self, frames: Mailbox[Frame], recogniser: Recogniser) -> None:
        super().__init__(name="recognition", daemon=True)
        self.results: Mailbox[RecognisedFrame] = Mailbox()
        self.trouble = ""
        self._frames, self._recogniser = frames, recogniser
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the thread after the current frame."""
        self._stopped.set()

    def run(self) -> None:
        """Recognise the newest frame until stopped."""
        serial = 0
        try:
            while not self._stopped.is_set():
                newest = self._frames.after(serial, timeout=0.2)
                if newest:
                    dropped, serial = newest[0] - serial - 1, newest[0]
                    self.results.put(
                        recognise_frame(newest[1].picture, self._recogniser, dropped=dropped)
                    )
        except Exception as error:  # shown in the window: no caller could handle it
            if starved(error):
                self.trouble = "Recognition has stopped: out of memory"
                return
            self.trouble = f"Recognition has stopped: {type(error).__name__}: {error}"
            raise


def recognise_frame(
    picture: Picture, recogniser: Recogniser, *, dropped: int = 0
) -> RecognisedFrame:
    """The people in a picture, and how long each step took."""
    clock = [time.perf_counter()]
    shrink = min(1.0, LONGEST / max(picture.shape[:2]))
    photo = as_wanted(picture, recogniser.bundle)
    if shrink < 1:
        height, width = (max(1, round(side * shrink)) for side in photo.shape[:2])
        shrunk = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
        photo = np.asarray(shrunk, np.uint8)
    boxes = recogniser.bundle.recipe.detector(photo)
    clock.append(time.perf_counter())
    faces = embedded(photo, boxes, recogniser.bundle)
    clock.append(time.perf_counter())
    enrolled, threshold = recogniser.enrolled, recogniser.threshold
    people = [identify(face, enrolled, threshold=threshold, people=PEOPLE) for face in faces]
    clock.append(time.perf_counter())
    people = [_enlarged(person, 1 / shrink) for person in people]
    timings = Timings(*(1000 * float(step) for step in np.diff(clock)))
    return RecognisedFrame(picture, people, timings, dropped)


def status(people: Sequence[Recognised]) -> str:
    """Who is in sight, in a few words."""
    if not people:
        return NO_FACE
    names = [person.name for person in people if person.name]
    unknown = len(people) - len(names)
    if not unknown:
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    others = "an unknown person" if unknown == 1 else f"{unknown} unknown people"
    return f"{', '.join(names)} and {others}" if names else others.capitalize()


def _enlarged(person: Recognised, by: float) -> Recognised:
    box = Box(*(round(part * by) for part in person.found.box))
    return person._replace(found=person.found._replace(box=box))
