import io
import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps, features

from tripletlab.faces.cropping import centre, crop, decode_photo, grown, read_photo
from tripletlab.faces.detection import Box


@pytest.fixture
def photo():
    """Smooth, (60, 90), and different in every corner."""
    down, right = np.mgrid[:60, :90]
    return (2 * down + right).astype(np.uint8)


def encoded(photo, suffix):
    return cv2.imencode(suffix, photo)[1].tobytes()


def with_thumbnail(photo):
    """A JPEG whose header holds another JPEG, as cameras write them."""
    data, thumbnail = encoded(photo, ".jpg"), encoded(photo[::4, ::4], ".jpg")
    header = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2) + thumbnail
    return data[:2] + header + data[2:]


def test_reads_a_colour_photo_as_grey(tmp_path, photo):
    Image.fromarray(np.dstack([photo] * 3)).save(tmp_path / "a.png")
    read = read_photo(tmp_path / "a.png")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, photo)


@pytest.mark.parametrize(("mark", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_honours_the_exif_mark(tmp_path, photo, mark, turns):
    image = Image.fromarray(photo)
    exif = image.getexif()
    exif[0x0112] = mark
    image.save(tmp_path / "a.jpg", exif=exif, quality=100)
    read = read_photo(tmp_path / "a.jpg")
    assert read.shape == np.rot90(photo, turns).shape
    np.testing.assert_allclose(read, np.rot90(photo, turns), atol=4)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
@pytest.mark.parametrize("mark", range(1, 9))
@pytest.mark.parametrize("camera", [None, "a camera"])
def test_a_turned_or_mirrored_avif_is_put_upright(photo, mark, camera):
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = mark
    if camera:  # the EXIF data are kept then
        exif[0x010F] = camera
    Image.fromarray(photo).convert("RGB").save(file, "AVIF", exif=exif.tobytes(), quality=95)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(file)))[..., ::-1]
    read = decode_photo(file.getvalue(), colour=True)
    assert read.shape == upright.shape
    np.testing.assert_allclose(read, upright, atol=4)
    assert decode_photo(file.getvalue()).shape == upright.shape[:2]


def tiff(height, width):
    """A small file that OpenCV reads and Pillow does not: the colours are signed, all zero."""
    row = zlib.compress(bytes(3 * width), 9)
    strips = 8 + len(row)  # where they are listed, all in one place, after the one that they are
    entries = strips + 8 * height
    values = {
        **{256: width, 257: height, 258: 8, 259: 8, 262: 2, 277: 3, 278: 1, 284: 1, 339: 2},
        **{273: strips, 279: strips + 4 * height},
    }
    listed = {tag: height if tag in (273, 279) else 1 for tag in values}
    rows = [struct.pack("<HHII", tag, 4, listed[tag], values[tag]) for tag in sorted(values)]
    lists = struct.pack("<I", 8) * height + struct.pack("<I", len(row)) * height
    directory = struct.pack("<H", len(rows)) + b"".join(rows) + bytes(4)
    return b"II*\0" + struct.pack("<I", entries) + row + lists + directory


@pytest.mark.parametrize(
    ("size", "limit", "read"),
    [
        ((30, 20), None, "(30, 20)"),
        ((10_001, 10_000), None, "None"),
        ((10_001, 10_000), "2000000000", "None"),
        ((30, 20), "500", "None"),  # one's own, smaller limit
    ],
)
def test_what_only_opencv_can_read_is_not_decoded_if_it_is_too_large(tmp_path, size, limit, read):
    (tmp_path / "a.tif").write_bytes(tiff(*size))
    code = """
import sys
from pathlib import Path
from tripletlab.faces.cropping import read_photo
photo = read_photo(Path(sys.argv[1]))
print(photo if photo is None else photo.shape)
"""
    env = {
        name: value for name, value in os.environ.items() if name != "OPENCV_IO_MAX_IMAGE_PIXELS"
    }
    env |= {"OPENCV_IO_MAX_IMAGE_PIXELS": limit} if limit else {}
    command = [sys.executable, "-c", code, str(tmp_path / "a.tif")]
    assert subprocess.check_output(command, env=env, text=True).strip() == read


@pytest.mark.parametrize(
    "damage",
    [
        lambda photo: b"",
        lambda photo: b"only some text",
        lambda photo: b"\xff\xd8\xff\xd9",
        lambda photo: encoded(photo, ".jpg")[:-2],
        lambda photo: encoded(photo, ".jpg")[:-200],
        lambda photo: encoded(photo, ".jpg")[:30],
        lambda photo: with_thumbnail(photo)[:-200],
        lambda photo: encoded(photo, ".png")[:-40],
        lambda photo: encoded(photo, ".png")[:8],
        lambda photo: b"GIF89a\x01\x00",
    ],
)
def test_bad_file_is_none_and_says_nothing(tmp_path, capfd, photo, damage):
    path = tmp_path / "a.jpg"
    path.write_bytes(damage(photo))
    assert read_photo(path) is None
    assert capfd.readouterr().err == ""


def test_stderr_is_there_again_after_a_bad_photo(tmp_path, capfd):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    read_photo(tmp_path / "a.png")
    io.FileIO(2, "w", closefd=False).write(b"still here")
    assert capfd.readouterr().err == "still here"


def test_missing_file_is_none(tmp_path):
    assert read_photo(tmp_path / "nowhere.jpg") is None


def test_whole_jpeg_with_a_thumbnail_or_a_long_tail_is_read(tmp_path, photo):
    for data in (with_thumbnail(photo), encoded(photo, ".jpg") + bytes(5000)):
        (tmp_path / "a.jpg").write_bytes(data)
        np.testing.assert_allclose(read_photo(tmp_path / "a.jpg"), photo, atol=8)


def test_box_inside_is_cut_out_as_it_is(photo):
    np.testing.assert_array_equal(crop(photo, Box(10, 5, 32), size=32), photo[5:37, 10:42])


@given(x=st.integers(-70, 120), y=st.integers(-70, 120), side=st.integers(1, 150))
def test_beyond_the_photo_its_edge_is_repeated(x, y, side):
    down, right = np.mgrid[:60, :90]
    photo = (2 * down + right).astype(np.uint8)
    rows = np.clip(np.arange(y, y + side), 0, 59)
    columns = np.clip(np.arange(x, x + side), 0, 89)
    wanted = photo[np.ix_(rows, columns)]
    np.testing.assert_array_equal(crop(photo, Box(x, y, side), size=side), wanted)


def test_shrinking_averages_over_areas():
    board = np.kron(np.array([[0, 200], [200, 0]] * 2, np.uint8), np.ones((1, 2), np.uint8))
    board = np.tile(board, (16, 16))  # (64, 64)
    blocks = board.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    np.testing.assert_array_equal(crop(board, Box(0, 0, 64), size=32), blocks)


@given(height=st.integers(1, 300), width=st.integers(1, 300), fraction=st.floats(0.01, 1))
def test_centre_lies_inside_and_in_the_middle(height, width, fraction):
    box = centre(np.zeros((height, width), np.uint8), fraction=fraction)
    assert box.side == 1 or abs(box.side - min(height, width) * fraction) <= 0.5
    for start, whole in ((box.x, width), (box.y, height)):
        assert 0 <= start <= whole - box.side
        assert abs(2 * start + box.side - whole) <= 1


def test_grown_adds_the_border_on_every_side():
    assert grown(Box(10, 20, 40), border=0) == Box(10, 20, 40)
    assert grown(Box(10, 20, 40), border=0.25) == Box(0, 10, 60)
