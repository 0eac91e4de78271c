"""Pictures from files and folders, and a clear word where there are none."""

import multiprocessing
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.webcam.people import film
from tripletlab.webcam.camera import CameraThread
from tripletlab.webcam.sources import SourceError, open_source


def plain(level):
    return np.full((60, 80, 3), level, np.uint8)


def test_a_video_is_played_over_and_over(tmp_path):
    film(tmp_path / "v.avi", [plain(20), plain(120), plain(220)])
    source = open_source(str(tmp_path / "v.avi"))
    levels = [int(source.read().mean()) for _ in range(6)]
    np.testing.assert_allclose(levels, [20, 120, 220] * 2, atol=3)
    (tmp_path / "v.avi").unlink()
    with pytest.raises(SourceError, match="not there"):
        source.read()
    source.close()


def test_a_folder_skips_what_is_no_photo_and_sees_new_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("tripletlab.webcam.sources.SHOWN", 0.0)
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
    monkeypatch.setattr("tripletlab.webcam.camera.AGAIN", 60)  # only retry() brings it back
    path = tmp_path / "v.avi"
    film(path, [plain(20)] * 3)
    thread = CameraThread(str(path))
    thread.start()
    serial, _ = thread.frames.after(0, timeout=10)
    path.unlink()
    while not thread.trouble:
        newer = thread.frames.after(serial, timeout=0.05)
        serial = newer[0] if newer else serial
    assert "not there" in thread.trouble
    film(path, [plain(200)])
    thread.retry()
    serial, frame = thread.frames.after(serial, timeout=10)
    assert frame.picture.mean() == pytest.approx(200, abs=3)
    assert thread.trouble == ""
    thread.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def device():
    """What looks like a camera's device and gives no picture."""
    path = Path("/dev/video98")
    try:
        path.unlink(missing_ok=True)  # of a test that was killed
        path.touch(mode=0o600)
    except OSError as error:
        pytest.skip(f"cannot make a device: {error}")
    yield path
    path.unlink()


def test_a_camera_that_does_not_open_is_called_busy(device):
    with pytest.raises(SourceError, match="Camera 98 is busy"):
        open_source("98")


def test_a_camera_without_permission_is_told_so(device):
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody without permission")

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
    assert ours.recv().startswith("You may not use camera 98. Ask for permission")
