"""What the app does, without its window: the threads, the gallery, the threshold, the recording."""

import time
from math import inf
from pathlib import Path
from typing import NamedTuple

from tripletlab.errors import InputError
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery import Shot
from tripletlab.recognition.names import valid_name
from tripletlab.recognition.photos import opened_gallery
from tripletlab.recognition.recogniser import Recogniser, shot_of
from tripletlab.recognition.search import Enrolled
from tripletlab.webcam.camera import CameraThread
from tripletlab.webcam.guide import Guide
from tripletlab.webcam.recognition import RecognisedFrame, RecognitionThread
from tripletlab.webcam.sources import is_camera

RETRY_SECONDS = 3.0  # until photos that could not be saved are saved again
MOST = 0.5  # false accept rate of the highest threshold; more would be useless
OWN = 0.99  # share of a person's own photos that a recording takes for that person's, at least


class Recording:
    """A person being recorded: as somebody new, or `instead` of the photos already there."""

    def __init__(self, name: str, *, instead: bool, furthest: float) -> None:
        self.name, self.instead = name, instead
        self.guide = Guide(furthest=furthest)
        self.shots: list[Shot] = []
        self.tried = -inf  # when the photos could not be saved


class Rates(NamedTuple):
    """Shares of strangers that are accepted, and of own photos, 0 to 1."""

    far: float  # a stranger, in one comparison of two photos
    far_of_person: float  # as a given person, of the mean number of photos; 0 without any
    far_of_any: float  # as any of those compared with
    tar: float  # a person's own photo, in one comparison
    bounds: bool = False  # those of strangers are 95 % bounds, since no pair was accepted


class Session:
    """To be used from the window's thread alone; the camera and recognition run in their own."""

    def __init__(self, bundle: Bundle, gallery: Path, *, source: str) -> None:
        self.bundle = bundle
        self.gallery = opened_gallery(gallery, bundle)
        self.mirrored = is_camera(source)
        self.recording: Recording | None = None
        self.compared_with = ""  # the person of a comparison 1:1; empty: everyone
        self.camera = CameraThread(source)
        self._recogniser = Recogniser(bundle, self.gallery.enrolled)
        self.recognition = RecognitionThread(self.camera.frames, self._recogniser)

    def start(self) -> None:
        """Start the camera and recognition."""
        self.camera.start()
        self.recognition.start()

    def stop(self) -> None:
        """Stop the threads and close the gallery; a camera thread that blocks is not waited for."""
        self.camera.stop()
        self.recognition.stop()
        if self.recognition.is_alive():  # it may not have begun
            self.recognition.join(timeout=2)
        self.gallery.close()

    @property
    def trouble(self) -> str:
        """What keeps the app from working; empty if nothing does."""
        return self.recognition.trouble or self.camera.trouble

    @property
    def can_retry(self) -> bool:
        """Whether the camera is all that keeps the app from working: it can be tried again."""
        return bool(self.camera.trouble) and not self.recognition.trouble

    @property
    def threshold(self) -> float:
        """The squared distance up to which a face matches a person."""
        return self._recogniser.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._recogniser.threshold = min(max(value, 0.0), self.highest)

    @property
    def strict(self) -> float:
        """The threshold of the bundle, which keeps the false accept rate of its export."""
        return self.bundle.card.threshold

    @property
    def balanced(self) -> float:
        """The threshold at which as many strangers are accepted as own photos are rejected."""
        return self.bundle.card.calibration.balanced()

    @property
    def highest(self) -> float:
        """The highest threshold that can be set."""
        return max(self.bundle.card.calibration.threshold_for(MOST), self.strict, self.balanced)

    @property
    def furthest(self) -> float:
        """The distance from the first photo of a recording beyond which a face is another's."""
        return max(self.highest, self.bundle.card.calibration.threshold_accepting(OWN))

    @property
    def enrolled(self) -> Enrolled:
        """The people that faces are compared with."""
        return self._recogniser.enrolled

    def compare_with(self, name: str) -> None:
        """Compare faces with this person alone, 1:1, or with everyone where the name is empty.

        InputError for somebody without an embedding.
        """
        if name and name not in self.gallery.enrolled.names:  # none of their photos has one
            raise InputError(f"{name} cannot be recognised: record again")
        self.compared_with = name
        self._use_gallery()

    def expected(self) -> Rates:
        """The rates to expect at the threshold.

        A person is as near as the nearest of their photos, so that every photo adds to the chances
        of a stranger. Those of a person and of anybody assume independent comparisons.
        """
        curve = self.bundle.card.calibration
        most = curve.most_far_at(self.threshold)
        far = curve.far_at(self.threshold) if most is None else most
        photos, people = len(self.enrolled), max(1, len(self.enrolled.names))
        return Rates(
            far=far,
            far_of_person=1 - (1 - far) ** (photos / people),
            far_of_any=1 - (1 - far) ** photos,
            tar=curve.tar_at(self.threshold),
            bounds=most is not None,
        )

    def record(self, name: str, *, instead: bool = False) -> None:
        """Begin to record a person; InputError for an invalid name, or one that is taken."""
        name = valid_name(name)
        if not instead and name in self.gallery.people():
            raise InputError(
                f"{name} is already recorded; enter another name, or record them again"
            )
        self.recording = Recording(name, instead=instead, furthest=self.furthest)

    def cancel(self) -> None:
        """Cancel the recording; nothing of it is kept."""
        self.recording = None

    def advance_recording(self, result: RecognisedFrame) -> str | None:
        """Offer a frame to the recording; returns the person's name once it is complete.

        InputError where the photos cannot be saved: they are kept, and it is tried again.
        """
        recording, now = self.recording, time.monotonic()
        if recording is None:
            return None
        faces = [person.found for person in result.people]
        taken = recording.guide.offer(faces, height=result.picture.shape[0], now=now)
        if taken:
            recording.shots.append(shot_of(result.picture, taken, self.bundle))
        if not recording.guide.done or now < recording.tried + RETRY_SECONDS:
            return None
        try:
            instead = recording.instead
            self.gallery.add(recording.name, recording.shots, instead=instead, new=not instead)
            self._use_gallery()
        except InputError as error:
            recording.guide.hint, recording.tried = str(error), time.monotonic()
            raise
        self.recording = None
        return recording.name

    def rename(self, old: str, new: str) -> None:
        """Rename a person; InputError for an invalid name, or one that is taken."""
        new, recording = valid_name(new), self.recording
        if recording and recording.name == new != old:
            raise InputError(f"{new} is being recorded; give another name")
        self.gallery.rename(old, new)
        if recording and recording.instead and recording.name == old:
            recording.name = new
        if self.compared_with == old:
            self.compared_with = new
        self._use_gallery()

    def delete(self, name: str) -> None:
        """Delete a person, who is not recorded again either."""
        self.gallery.remove(name)
        if self.recording and self.recording.instead and self.recording.name == name:
            self.cancel()
        self._use_gallery()

    def forget_everyone(self) -> None:
        """Delete everyone, for good, and whoever is being recorded."""
        self.cancel()
        try:
            self.gallery.forget_everyone()
        finally:  # its file may not be shrunk
            self._use_gallery()

    def refresh(self) -> None:
        """Take over changes by another process, also where the gallery cannot be used any more."""
        try:
            self.gallery.refresh()
        finally:
            self._use_gallery()

    def _use_gallery(self) -> None:
        everyone = self.gallery.enrolled
        if self.compared_with not in everyone.names:  # deleted, perhaps by another process
            self.compared_with = ""
        self._recogniser.enrolled = (
            everyone.only(self.compared_with) if self.compared_with else everyone
        )
