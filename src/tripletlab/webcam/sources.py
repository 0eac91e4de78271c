"""Where pictures come from: a camera, a video file, or a folder of photos."""

import contextlib
import math
import os
import sys
import time
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.faces.cropping import MOST_PIXELS, read_photo
from tripletlab.recognition.photo_files import SUFFIXES
from tripletlab.system.paths import expanded

Picture = NDArray[np.uint8]  # (height, width, 3) blue green red
DEVICES = Path("/dev")
PLAYLISTS = {".m3u", ".m3u8", ".mpd", ".ffconcat"}  # FFmpeg would open the files that they name
LISTS = (b"ffconcat", b"#EXTM3U")  # how some begin, whatever their suffix
PHOTO_SECONDS = 1.0  # that a photo of a folder is shown
DEFAULT_RATE = 25.0  # frames a second of a video whose own rate is missing or absurd
SLOWEST, FASTEST = 1.0, 240.0

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # a SourceError says it


class SourceError(Exception):
    """The source gives no pictures; the message says why, and what the person can do."""


class Source(Protocol):
    """Pictures one after the other, each at its time."""

    def read(self) -> Picture:
        """The next picture; SourceError when there is none."""

    def close(self) -> None:
        """Release it."""


def is_camera(given: str) -> bool:
    """Whether it is a camera's number; anything else is a path."""
    return given.isdecimal()


def open_source(given: str) -> Source:
    """The source meant by a camera's number or a path; SourceError when it cannot be opened."""
    if is_camera(given):
        return Camera(int(given))
    path = expanded(given)
    return Folder(path) if path.is_dir() else Video(path)


class Camera:
    """A camera, by its number."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._device = DEVICES / f"video{number}"
        if sys.platform == "linux":
            self._check_device()
        self._capture = cv2.VideoCapture(number)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(
                f"Camera {number} is busy. Another program may be using it; close that one."
            )

    def _check_device(self) -> None:
        if not self._device.exists():
            raise SourceError(
                f"There is no camera {self._number}. Plug it in: the picture then comes by itself."
            )
        if not os.access(self._device, os.R_OK | os.W_OK):
            raise SourceError(
                f"You have no permission to use camera {self._number}. Ask for access to"
                f" {self._device} (on Linux: the group video)."
            )

    def read(self) -> Picture:
        """The next picture, when the camera has it."""
        ok, picture = self._capture.read()
        if not ok:
            raise SourceError(f"Camera {self._number} has stopped. Is it still plugged in?")
        return np.asarray(picture, np.uint8)

    def close(self) -> None:
        """Release it to other programs."""
        self._capture.release()


class Video:
    """A video file at its own frame rate, repeated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._capture = cv2.VideoCapture()
        self._open()
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._pace = Pace(1 / (rate if SLOWEST <= rate <= FASTEST else DEFAULT_RATE))

    def _open(self) -> None:
        if not self._path.is_file():
            raise SourceError(f"{self._path} is not there.")
        if _is_playlist(self._path) or not self._capture.open(str(self._path), cv2.CAP_FFMPEG):
            raise SourceError(f"{self._path} is not a video that can be played.")
        sides = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        if not 0 < math.prod(map(self._capture.get, sides)) <= MOST_PIXELS:
            self._capture.release()
            raise SourceError(f"{self._path} has frames that are too large to be shown.")

    def read(self) -> Picture:
        """The next frame; after the last one, the first."""
        ok, picture = self._capture.read()
        if not ok:
            self._open()
            ok, picture = self._capture.read()
        if not ok:
            raise SourceError(f"{self._path} has no picture in it.")
        self._pace.keep()
        return np.asarray(picture, np.uint8)

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


def _is_playlist(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(8).startswith(LISTS):
            return True
    return path.suffix.lower() in PLAYLISTS


class Folder:
    """The photos of a folder and its subfolders by name, each for a second, repeated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left: list[Path] = []
        self._pace = Pace(PHOTO_SECONDS)

    def read(self) -> Picture:
        """The next readable photo; after the last one the folder is listed again."""
        for fresh in (False, True):
            if fresh:
                every = sorted(self._path.rglob("*")) if self._path.is_dir() else []
                self._left = [one for one in every if one.suffix.lower() in SUFFIXES]
            while self._left:
                picture = read_photo(self._left.pop(0), colour=True)
                if picture is not None:
                    self._pace.keep()
                    return picture
        raise SourceError(f"{self._path} has no photo in it.")

    def close(self) -> None:
        """Nothing is open."""


class Pace:
    """Sleeps so that calls are a period apart; a late one is not caught up with."""

    def __init__(self, period: float) -> None:
        self._period, self._next = period, 0.0

    def keep(self) -> None:
        """Wait for the time of the next call."""
        now = time.monotonic()
        time.sleep(max(0.0, self._next - now))
        self._next = max(self._next, now) + self._period
