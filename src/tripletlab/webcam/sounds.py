"""Two short tones, off until switched on: somebody is recorded, somebody is recognised."""

import tempfile
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tripletlab.system.progress import quiet_stderr

RATE = 44_100  # samples a second
SECONDS = 0.12  # of each note
LOUDNESS = 0.2  # of the loudest possible
NOTES = {"recorded": (523.0, 784.0), "recognised": (880.0,)}  # hertz, one after the other


class Sounds:
    """The tones. Every person is announced once, the first time that they are recognised."""

    def __init__(self) -> None:
        self.on = False
        self._announced: set[str] = set()
        self._tones: dict[str, Any] = {}

    def switch(self) -> str:
        """Switch them on or off; returns a line for the window. Without a device they stay off."""
        self._tones = self._tones or _load()
        self.on = bool(self._tones) and not self.on
        if not self._tones:
            return "No sound: there is no device for it"
        return "Sounds on" if self.on else "Sounds off"

    def recorded(self, name: str) -> None:
        """A person has been recorded, which announces them too."""
        self._announced.add(name)
        self._play("recorded")

    def recognised(self, names: Iterable[str]) -> None:
        """These people are in sight."""
        new = set(names) - self._announced
        self._announced |= new
        if new:
            self._play("recognised")

    def _play(self, tone: str) -> None:
        if self.on:
            self._tones[tone].play()


def write_tone(path: Path, notes: Iterable[float]) -> None:
    """Write notes, in hertz, as a WAV file: one channel, 16 bits, faded in and out."""
    seconds = np.arange(round(RATE * SECONDS)) / RATE
    fade = np.minimum(1, 100 * np.minimum(seconds, seconds[::-1]))  # 10 ms, against a click
    wanted = [LOUDNESS * fade * np.sin(2 * np.pi * note * seconds) for note in notes]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((32767 * np.concatenate(wanted)).astype("<i2").tobytes())


def _load() -> dict[str, Any]:
    """The tones, ready to be played; empty where Kivy finds no provider or no device."""
    tones = {}
    with quiet_stderr(), tempfile.TemporaryDirectory(prefix="tripletlab-") as folder:
        from kivy.core.audio import SoundLoader

        for tone, notes in NOTES.items():
            write_tone(Path(folder, f"{tone}.wav"), notes)
            tones[tone] = SoundLoader.load(str(Path(folder, f"{tone}.wav")))
    return tones if all(tone and tone.length > 0 for tone in tones.values()) else {}
