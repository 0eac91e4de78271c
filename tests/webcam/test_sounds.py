"""The tones: what they sound like, and when each is played."""

import wave

import numpy as np
import pytest

from tripletlab.webcam import sounds
from tripletlab.webcam.sounds import NOTES, RATE, SECONDS, Sounds, write_tone


class Tone:
    """Stands in for Kivy's sound."""

    def __init__(self, name, played):
        self.play = lambda: played.append(name)


@pytest.fixture
def played(monkeypatch):
    played = []
    monkeypatch.setattr(sounds, "_load", lambda: {name: Tone(name, played) for name in NOTES})
    return played


def test_a_person_is_announced_once_and_only_while_sounds_are_on(played):
    tones = Sounds()
    tones.recorded("Ann")
    tones.recognised(["Ben"])
    assert played == []
    assert tones.switch() == "Sounds on"
    tones.recognised(["Ann", "Ben"])  # both have been seen
    for _ in range(3):
        tones.recognised(["Cy", "Dee"])
    tones.recorded("Eve")
    tones.recognised(["Eve"])
    assert played == ["recognised", "recorded"]
    assert tones.switch() == "Sounds off"
    tones.recorded("Fay")
    assert played == ["recognised", "recorded"]


def test_without_a_device_they_stay_off(monkeypatch):
    monkeypatch.setattr(sounds, "_load", dict)
    tones = Sounds()
    assert tones.switch() == "No sound: there is no device for it"
    assert not tones.on
    tones.recorded("Ann")


@pytest.mark.parametrize("notes", NOTES.values())
def test_a_tone_has_its_notes_and_neither_clicks_nor_clips(notes, tmp_path):
    write_tone(tmp_path / "tone.wav", notes)
    with wave.open(str(tmp_path / "tone.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    assert len(samples) == len(notes) * round(RATE * SECONDS)
    assert 0.15 < np.abs(samples).max() < 0.25
    for note, part in zip(notes, np.split(samples, len(notes)), strict=True):
        assert np.abs(part[[0, -1]]).max() < 1e-3  # a jump would click
        assert np.abs(np.fft.rfft(part)).argmax() == pytest.approx(note * SECONDS, abs=1)
