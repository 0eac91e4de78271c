"""The app in a real window, by real clicks and keys, on a video of synthetic people."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.webcam.bundles import THRESHOLD
from tests.webcam.people import ANN, BEN, before_the_camera, write_video
from tripletlab.recognition.gallery import Gallery
from tripletlab.recognition.recogniser import faces_in, shot_of


@pytest.fixture(scope="module")
def people():
    return {who: before_the_camera(seed) for who, seed in (("Ann", ANN), ("Ben", BEN))}


def test_a_person_is_recorded_known_renamed_and_deleted_and_a_stranger_is_not_known(
    app, bundle, people, tmp_path
):
    video = tmp_path / "people.avi"
    write_video(video, people["Ann"])
    window = app(bundle.folder, "--source", video)
    window.until(lambda texts: "Record a person to begin" in texts)

    window.click("Record")
    window.until(lambda texts: "Who is it?" in texts)
    window.key("Return")
    window.until(lambda texts: "give a name" in texts)
    window.write("Ann")  # the field has kept the focus
    window.key("Return")
    window.until(lambda texts: "Look straight into the camera" in texts)
    window.until(lambda texts: "Ann is recorded" in texts, seconds=60)
    nearest(window, "Ann", below=THRESHOLD)

    write_video(video, people["Ben"])
    nearest(window, "Ann", above=THRESHOLD)
    before = float(threshold(window))
    window.click("Slider", at=0.9)
    window.until(lambda texts: float(threshold(window)) > before + 1)
    window.click("Balanced")
    balanced = pytest.approx(bundle.card.calibration.balanced(), abs=1e-3)
    window.until(lambda texts: float(threshold(window)) == balanced != before)
    window.click("Strict")
    window.until(lambda texts: float(threshold(window)) == before)
    window.key("Right", "Right")
    window.until(lambda texts: float(threshold(window)) == pytest.approx(before + 0.04, abs=2e-3))

    choose(window, "Rename")
    window.until(lambda texts: "Rename Ann" in texts)
    window.write("Anna")
    window.click("Rename")
    window.until(lambda texts: "Anna" in texts and "Rename Ann" not in texts)
    gallery = tmp_path / "gallery"
    assert stat.S_IMODE(gallery.stat().st_mode) == 0o700
    kept = Gallery(gallery, fingerprint=bundle.fingerprint, dim=bundle.embedder.dim)
    assert kept.people() == {"Anna": 5}

    choose(window, "Delete")
    window.until(lambda texts: "Delete Anna?" in texts)
    window.key("Return")  # does what is safe
    window.until(lambda texts: "Delete Anna?" not in texts and "PEOPLE" in texts)
    assert kept.people() == {"Anna": 5}
    choose(window, "Delete")
    window.until(lambda texts: "Delete Anna?" in texts)
    window.click("Delete")
    window.until(lambda texts: "Record a person to begin" in texts)
    assert kept.people() == {}
    kept.close()
    window.close()


def choose(window, what):
    """Press a button of the only person's dialog."""
    window.click("Edit")
    window.until(lambda texts: "Is this the person?" in texts)
    window.click(what)


@pytest.fixture
def ann(bundle, people, tmp_path):
    """A gallery in which Ann is enrolled."""
    gallery = Gallery(tmp_path / "gallery", fingerprint=bundle.fingerprint, dim=bundle.embedder.dim)
    for photo in people["Ann"][:5]:
        gallery.add("Ann", [shot_of(photo, faces_in(photo, bundle)[0], bundle)])
    gallery.close()


def test_one_person_is_verified_in_a_small_window(app, ann, bundle, people, tmp_path):
    """1:1, at 480×320, where the panel takes the place of the picture."""
    video = tmp_path / "people.avi"
    write_video(video, people["Ann"])
    window = app(bundle.folder, "--source", video)
    window.until(lambda texts: "Ann" in texts)
    window.resize(480, 320)
    window.click("People")
    window.until(lambda texts: "PEOPLE" in texts and "Camera" in texts)
    choose(window, "Is this the person?")
    window.until(lambda texts: "Recognised as Ann" in texts and "PEOPLE" not in texts)
    write_video(video, people["Ben"])
    window.until(lambda texts: "Not recognised as Ann" in texts)
    window.key("Escape")
    window.until(lambda texts: "ecognised as" not in texts and "An unknown person" in texts)
    assert "frames/s" not in window.texts()
    window.click("T  figures")
    window.until(lambda texts: "frames/s" in texts)
    window.close()


@pytest.mark.parametrize("key", ["Return", "Escape"])
def test_no_key_forgets_everyone(key, app, ann, bundle):
    window = app(bundle.folder, "--source", "97")
    window.click("Forget all")
    window.until(lambda texts: "Forget everyone?" in texts)
    window.key(key)
    window.until(lambda texts: "Forget everyone?" not in texts and "Ann" in texts)
    window.click("Forget all")
    window.click("Forget")
    window.until(lambda texts: "Forget everyone?" not in texts and "Ann" not in texts)
    window.close()


def test_a_gallery_deleted_meanwhile_is_reported_and_nobody_is_known(app, ann, bundle, tmp_path):
    window = app(bundle.folder, "--source", "97")
    window.until(lambda texts: "Ann" in texts)
    shutil.rmtree(tmp_path / "gallery")
    window.until(
        lambda texts: "the gallery was deleted or replaced" in texts and "Ann" not in texts
    )
    window.close()


def test_a_known_person_is_announced_by_a_tone_only_if_sounds_are_on(
    app, ann, bundle, people, tmp_path, monkeypatch
):
    played = tmp_path / "played.raw"  # SDL writes here what a loudspeaker would get
    monkeypatch.setenv("SDL_AUDIODRIVER", "disk")
    monkeypatch.setenv("SDL_DISKAUDIOFILE", str(played))
    video = tmp_path / "people.avi"
    write_video(video, people["Ben"])
    window = app(bundle.folder, "--source", video, "--sound")
    window.until(lambda texts: "Sounds on" in texts)
    window.until(lambda texts: "An unknown person" in texts)
    assert not any(played.read_bytes())
    write_video(video, people["Ann"])
    window.until(lambda texts: "Ann" in texts.split(" | ") and any(played.read_bytes()))
    window.key("s")
    window.until(lambda texts: "Sounds off" in texts)
    window.close()


def test_without_a_sound_device_the_window_says_so(app, ann, bundle, monkeypatch):
    monkeypatch.setenv("SDL_AUDIODRIVER", "none-such")
    window = app(bundle.folder, "--source", "97")
    window.key("s")
    window.until(lambda texts: "No sound: there is no device for it" in texts)
    window.close()


def nearest(window, name, *, below=4.0, above=0.0):
    """Wait until this is the person nearest to the face, at such a distance."""

    def holds(texts):
        words = texts.split(" | ")
        if name not in words:
            return False
        distances = [float(word) for word in words if word[:1].isdigit() and word[1:2] == "."]
        return bool(distances) and all(above <= one <= below for one in distances)

    window.until(holds)


def threshold(window):
    return next(t for t in window.inspect()["texts"] if t.startswith("THRESHOLD")).split()[1]


def test_a_lost_camera_is_reported_and_comes_back(app, bundle, people, tmp_path):
    video = tmp_path / "people.avi"
    write_video(video, people["Ann"][:4])
    window = app(bundle.folder, "--source", video)
    window.until(lambda texts: "Record a person to begin" in texts)
    video.rename(tmp_path / "unplugged.avi")
    window.until(lambda texts: "is not there" in texts)
    (tmp_path / "unplugged.avi").rename(video)
    window.click("Try again")
    window.until(lambda texts: "is not there" not in texts)
    window.close()


def test_without_a_picture_nobody_is_shown_not_even_who_is_deleted_now(
    app, ann, bundle, people, tmp_path
):
    video = tmp_path / "people.avi"
    write_video(video, people["Ann"])
    window = app(bundle.folder, "--source", video)
    window.until(lambda texts: "Ann" in texts)
    choose(window, "Is this the person?")
    window.until(lambda texts: "Recognised as Ann" in texts)
    video.unlink()
    window.until(lambda texts: "is not there" in texts and "Recognised as Ann" not in texts)
    window.key("Escape")
    choose(window, "Delete")
    window.until(lambda texts: "Delete Ann?" in texts)
    window.click("Delete")
    window.until(lambda texts: "PEOPLE" in texts and "Ann" not in texts)
    window.close()


def test_without_a_camera_there_is_a_window_that_says_so(app, bundle):
    window = app(bundle.folder, "--source", "97")
    texts = window.until(lambda texts: "There is no camera 97" in texts and "Try again" in texts)
    assert "--" not in texts
    window.click("Record")
    window.key("r")  # there is nothing to record
    window.key("h")
    assert "Who is it?" not in window.until(lambda texts: "technical figures" in texts)
    window.key("Return")
    window.close()


def test_a_bundle_that_is_not_there_is_one_line_and_no_window(tmp_path):
    command = [sys.executable, "-m", "tripletlab", "webcam", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "tripletlab export" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def without_a_screen(**more):
    """The environment of an ssh session."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "KIVY_WINDOW")
    return {name: value for name, value in os.environ.items() if name not in screens} | more


def test_without_a_screen_it_is_one_line_and_nothing_runs(bundle, tmp_path):
    command = [sys.executable, "-m", "tripletlab", "webcam", str(bundle.folder), "--source", "97"]
    for env in (without_a_screen(), without_a_screen(DISPLAY=":97")):
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=env, timeout=60
        )
        assert done.returncode == 2
        assert "no window can be opened: there is no screen" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert list(tmp_path.iterdir()) == []  # no gallery either


def test_an_invisible_window_can_be_asked_for(bundle, tmp_path):
    driver = Path(__file__).with_name("driver.py")
    command = [sys.executable, str(driver), "webcam", str(bundle.folder), "--source", "97"]
    env = without_a_screen(SDL_VIDEODRIVER="offscreen")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=env, **pipes) as app:
        app.stdin.write("\n")
        app.stdin.flush()
        texts = json.loads(app.stdout.readline())["texts"]
        app.kill()
    assert "NEAREST" in texts


def test_the_app_imports_nothing_that_trains():
    code = "import sys, tripletlab.webcam.app, tripletlab.webcam.window; print(*sys.modules)"
    env = {**os.environ, "KIVY_NO_ARGS": "1", "KIVY_LOG_MODE": "PYTHON", "KIVY_NO_CONFIG": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    loaded = set(done.stdout.split())
    assert {"kivy", "onnxruntime", "cv2"} <= loaded
    assert not loaded & {"tensorflow", "keras", "mlflow", "optuna", "hydra", "h5py", "sklearn"}
