"""What the app does, without its window: the threads, the gallery, the threshold, the recording."""

import time
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery import Gallery, Shot, valid_name
from tripletlab.recognition.recogniser import Recogniser, shot_of
from tripletlab.webcam.camera import CameraThread
from tripletlab.webcam.guide import Guide
from tripletlab.webcam.sources import is_camera
from tripletlab.webcam.watcher import Seen, WatcherThread

MOST = 0.5  # false accept rate; a threshold that lets more strangers pass is of no use


class Recording:
    """Somebody who is being recorded, `instead` of the photos that are there or as somebody new."""

    def __init__(self, name: str, *, instead: bool) -> None:
        self.name, self.instead = name, instead
        self.guide = Guide()
        self.shots: list[Shot] = []


class Session:
    """Use it from one thread, that of the window; its own threads run beside it."""

    def __init__(self, bundle: Bundle, gallery: Path, *, source: str) -> None:
        self.bundle = bundle
        self.gallery = Gallery(gallery, fingerprint=bundle.fingerprint, dim=bundle.embedder.dim)
        self.mirrored = is_camera(source)
        self.recording: Recording | None = None
        self.camera = CameraThread(source)
        self._recogniser = Recogniser(bundle, self.gallery.enrolled)
        self.watcher = WatcherThread(self.camera.frames, self._recogniser)

    def start(self) -> None:
        """Begin to look."""
        self.camera.start()
        self.watcher.start()

    def stop(self) -> None:
        """End the threads, as far as a camera lets its own, and close the gallery."""
        self.camera.stop()
        self.watcher.stop()
        self.watcher.join(timeout=2)
        self.gallery.close()

    @property
    def trouble(self) -> str:
        """What keeps the app from working, or nothing."""
        return self.watcher.trouble or self.camera.trouble

    @property
    def threshold(self) -> float:
        """The squared distance up to which a face is somebody's."""
        return self._recogniser.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._recogniser.threshold = min(max(value, 0.0), self.highest)

    @property
    def highest(self) -> float:
        """The highest threshold of any use."""
        return max(self.bundle.card.calibration.threshold_for(MOST), self.bundle.card.threshold)

    def expected(self) -> tuple[float, float, float]:
        """How often, at the threshold, a stranger passes for a given person, how often for any of
        those recorded, and how often a person's photo is known.

        The second takes the comparisons with different people as independent.
        """
        curve = self.bundle.card.calibration
        far = curve.far_at(self.threshold)
        everyone = len(self.gallery.enrolled.names)
        return far, 1 - (1 - far) ** everyone, curve.tar_at(self.threshold)

    def record(self, name: str, *, instead: bool = False) -> None:
        """Begin to record a person; InputError where that is no name, or somebody else's."""
        name = valid_name(name)
        if not instead and name in self.gallery.enrolled.names:
            raise InputError(f"{name} is there already; give another name, or record them again")
        self.recording = Recording(name, instead=instead)

    def cancel(self) -> None:
        """Leave off recording; nothing of it is kept."""
        self.recording = None

    def look(self, seen: Seen) -> str | None:
        """Let the recording have what was seen; the person's name when it is complete."""
        recording = self.recording
        if recording is None:
            return None
        faces = [person.found for person in seen.people]
        taken = recording.guide.look(faces, height=seen.picture.shape[0], now=time.monotonic())
        if taken:
            recording.shots.append(shot_of(seen.picture, taken))
        if not recording.guide.done:
            return None
        self.recording = None
        self.gallery.add(recording.name, recording.shots, instead=recording.instead)
        self._use_gallery()
        return recording.name

    def rename(self, old: str, new: str) -> None:
        """Give a person another name; InputError where that is no name, or somebody else's."""
        self.gallery.rename(old, new)
        self._use_gallery()

    def delete(self, name: str) -> None:
        """Forget a person."""
        self.gallery.remove(name)
        self._use_gallery()

    def forget_everyone(self) -> None:
        """Forget all of them, for good."""
        self.gallery.forget_everyone()
        self._use_gallery()

    def refresh(self) -> bool:
        """Take over what another process has changed; says whether there was anything."""
        if not self.gallery.refresh():
            return False
        self._use_gallery()
        return True

    def _use_gallery(self) -> None:
        self._recogniser.enrolled = self.gallery.enrolled
