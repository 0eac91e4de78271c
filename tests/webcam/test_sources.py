"""Pictures from files and folders, and a clear word where there are none."""

import multiprocessing
import os
import random
import shutil
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.webcam.people import write_video
from tripletlab.recognition.photo_files import SUFFIXES
from tripletlab.webcam.camera import CameraThread
from tripletlab.webcam.sources import SourceError, open_source


def plain(level):
    return np.full((60, 80, 3), level, np.uint8)


def test_a_video_is_played_over_and_over(tmp_path):
    write_video(tmp_path / "v.avi", [plain(20), plain(120), plain(220)])
    source = open_source(str(tmp_path / "v.avi"))
    levels = [int(source.read().mean()) for _ in range(6)]
    np.testing.assert_allclose(levels, [20, 120, 220] * 2, atol=3)
    (tmp_path / "v.avi").unlink()
    with pytest.raises(SourceError, match="not there"):
        source.read()
    source.close()


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_a_folder_may_hold_photos_of_every_known_format(suffix, tmp_path):
    photo = np.full((64, 64) if suffix == ".pgm" else (64, 64, 3), 30, np.uint8)
    _, content = cv2.imencode(".jpg" if suffix == ".jfif" else suffix, photo)
    (tmp_path / f"a{suffix}").write_bytes(content)
    assert abs(int(open_source(str(tmp_path)).read().mean()) - 30) <= 1


def test_a_folder_skips_what_is_no_photo_and_sees_new_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("tripletlab.webcam.sources.PHOTO_SECONDS", 0.0)
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "a.png"), plain(10))
    cv2.imwrite(str(tmp_path / "in" / "b.png"), plain(30))
    (tmp_path / "c.jpg").write_text("no photo")
    source = open_source(str(tmp_path))
    assert [int(source.read().mean()) for _ in range(3)] == [10, 30, 10]
    cv2.imwrite(str(tmp_path / "z.png"), plain(50))
    assert [int(source.read().mean()) for _ in range(3)] == [30, 10, 30]  # listed before
    assert int(source.read().mean()) == 50
    shutil.rmtree(tmp_path)
    with pytest.raises(SourceError, match="no photo in it"):
        source.read()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("97", "There is no camera 97"),
        ("nowhere.avi", "not there"),
        ("notes.avi", "not a video"),
        ("empty", "no photo in it"),
    ],
)
def test_what_gives_no_picture_says_why(given, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.avi").write_text("no video")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=says):
        open_source(given).read()


def test_a_lost_source_is_told_of_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("tripletlab.webcam.camera.RETRY_SECONDS", 60)  # only retry() brings it back
    path = tmp_path / "v.avi"
    write_video(path, [plain(20)] * 3)
    thread = CameraThread(str(path))
    thread.start()
    serial, _ = thread.frames.after(0, timeout=10)
    path.unlink()
    while not thread.trouble:
        newer = thread.frames.after(serial, timeout=0.05)
        serial = newer[0] if newer else serial
    assert "not there" in thread.trouble
    write_video(path, [plain(200)])
    thread.retry()
    serial, frame = thread.frames.after(serial, timeout=10)
    assert frame.picture.mean() == pytest.approx(200, abs=3)
    assert thread.trouble == ""
    thread.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def device(monkeypatch):
    """A folder of devices, with what looks like a camera's and gives no picture."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # everybody may look into it, as into /dev
        monkeypatch.setattr("tripletlab.webcam.sources.DEVICES", Path(folder))
        path = Path(folder) / "video98"
        path.touch(mode=0o600)
        yield path


def test_a_camera_that_does_not_open_is_called_busy(device):
    with pytest.raises(SourceError, match="Camera 98 is busy"):
        open_source("98")


def test_a_camera_without_permission_says_so(device):
    says = "You have no permission to use camera 98. Ask for access"
    if os.geteuid() != 0:
        device.chmod(0)
        with pytest.raises(SourceError, match=says):
            open_source("98")
        return

    def somebody(line):
        os.setuid(65534)
        try:
            open_source("98")
        except SourceError as error:
            line.send(str(error))

    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=somebody, args=(theirs,))
    process.start()
    process.join()
    assert ours.poll(10)
    assert ours.recv().startswith(says)


def test_damaged_bytes_of_a_video_are_pictures_or_a_sentence(tmp_path, monkeypatch, capfd):
    """A few bytes at random, 120 times; nothing is printed, for the window says it."""
    monkeypatch.setattr("tripletlab.webcam.sources.Pace.keep", lambda _: None)
    path = tmp_path / "v.avi"
    write_video(path, [plain(20), plain(120), plain(220)])
    whole, random_, played = path.read_bytes(), random.Random(0), 0
    for _ in range(120):
        content = bytearray(whole)
        for _ in range(random_.randint(1, 8)):
            content[random_.randrange(400 if random_.random() < 0.7 else len(whole))] = (
                random_.randrange(256)
            )
        path.write_bytes(
            content[: random_.randrange(len(whole)) if random_.random() < 0.2 else None]
        )
        try:
            source = open_source(str(path))
            played += all(source.read().ndim == 3 for _ in range(5))
            source.close()
        except SourceError as error:
            assert_sentence(error)
    assert 0 < played < 120
    assert capfd.readouterr().err == ""


def assert_sentence(error):
    assert str(error).endswith(".")
    assert "\n" not in str(error)


@pytest.mark.parametrize("kind", ["text", "empty", "list", "pipe"])
def test_what_is_no_video_is_a_sentence(kind, tmp_path):
    path = tmp_path / "v.avi"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text({"text": "no video", "empty": "", "list": "#EXTM3U\n/etc/hostname\n"}[kind])
    with pytest.raises(SourceError, match=r"not a video|not there"):
        open_source(str(path))


HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nprivate.avi\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("name", ["v.m3u8", "v.mp4", "v"])
@pytest.mark.parametrize("text", [HLS, "ffconcat version 1.0\nfile private.avi\n"])
def test_a_playlist_opens_no_other_file(name, text, tmp_path):
    write_video(tmp_path / "private.avi", [plain(20)] * 5)
    playlist = tmp_path / name
    playlist.write_text(text)
    with pytest.raises(SourceError, match="not a video"):
        open_source(str(playlist))


def test_a_video_of_too_large_pictures_is_not_played(tmp_path, monkeypatch):
    write_video(tmp_path / "v.avi", [plain(20)])
    monkeypatch.setattr("tripletlab.webcam.sources.MOST_PIXELS", 60 * 80 - 1)
    with pytest.raises(SourceError, match="too large"):
        open_source(str(tmp_path / "v.avi"))


@pytest.mark.parametrize(
    ("rate", "period"), [(8.0, 1 / 8), (0.0, 1 / 25), (1e-9, 1 / 25), (np.nan, 1 / 25)]
)
def test_a_video_that_says_no_usable_rate_is_played_at_the_usual_one(
    rate, period, tmp_path, monkeypatch
):
    """As the container says it: what FFmpeg makes of it differs from build to build."""
    write_video(tmp_path / "v.avi", [plain(20)])
    get, periods = cv2.VideoCapture.get, []

    class Capture:
        def __init__(self):
            self.inner = cv2_capture()

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def get(self, what):
            return rate if what == cv2.CAP_PROP_FPS else get(self.inner, what)

    cv2_capture = cv2.VideoCapture
    monkeypatch.setattr("cv2.VideoCapture", Capture)
    monkeypatch.setattr("tripletlab.webcam.sources.Pace", lambda one: periods.append(one))
    open_source(str(tmp_path / "v.avi"))
    assert periods == [pytest.approx(period)]


def test_a_source_that_fails_in_an_unforeseen_way_is_reported(tmp_path, monkeypatch):
    write_video(tmp_path / "v.avi", [plain(20)])

    def fail(_):
        raise OverflowError("timestamp too large")

    monkeypatch.setattr("tripletlab.webcam.sources.Pace.keep", fail)
    thread = CameraThread(str(tmp_path / "v.avi"))
    thread.start()
    while not thread.trouble:
        time.sleep(0.01)
    assert thread.trouble == "The picture has failed: OverflowError: timestamp too large"
    assert thread.is_alive()
    thread.stop()
    thread.join(10)


def test_a_photo_of_too_many_pixels_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr("tripletlab.webcam.sources.PHOTO_SECONDS", 0.0)
    monkeypatch.setattr("tripletlab.faces.cropping.MOST_PIXELS", 60 * 80)
    cv2.imwrite(str(tmp_path / "a.png"), np.full((61, 80, 3), 10, np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), plain(30))
    source = open_source(str(tmp_path))
    assert [int(source.read().mean()) for _ in range(2)] == [30, 30]
