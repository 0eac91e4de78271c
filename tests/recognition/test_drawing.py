"""Frames and names are drawn on photos, and no photo is overwritten."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.faces.detection import Box
from tripletlab.recognition import drawing
from tripletlab.recognition.drawing import framed, targets, write
from tripletlab.recognition.photo_files import PhotoFile, photo_files
from tripletlab.recognition.recogniser import EmbeddedFace, Recognised
from tripletlab.recognition.search import Match

PHOTO = np.full((120, 160, 3), 90, np.uint8)


def face(name, *box):
    found = EmbeddedFace(Box(*box), np.zeros((64, 64), np.uint8), np.zeros(4, np.float32))
    return Recognised(found, [Match("Zoë", 0.25)], name)


@pytest.mark.parametrize(("name", "channel"), [("Zoë", 1), (None, 2)])
def test_a_known_person_is_framed_green_and_an_unknown_one_red(name, channel):
    drawn = framed(PHOTO, [face(name, 40, 20, 60)])
    assert drawn.shape == PHOTO.shape
    assert drawn[20, 70].argmax() == drawn[50, 40].argmax() == channel
    np.testing.assert_array_equal(drawn[25:75, 45:95], PHOTO[25:75, 45:95])  # inside the frame
    assert (drawn[80:] > 250).all(axis=-1).any()  # the name's white letters
    assert (PHOTO == 90).all()


def test_a_name_stays_within_the_photo():
    drawn = framed(PHOTO, [face("Zoë", 100, 70, 70)])  # reaches beyond the photo
    assert (drawn > 250).all(axis=-1).any()


@pytest.mark.parametrize("fonts", [drawing.FONTS, ()], ids=["of the system", "of Kivy"])
@pytest.mark.parametrize("letter", "ëŁЖ")
def test_letters_outside_ascii_are_drawn(fonts, letter, monkeypatch):
    monkeypatch.setattr(drawing, "FONTS", fonts)
    drawing._font_file.cache_clear()
    try:
        named, boxed = (framed(PHOTO, [face(f"Zo{one}", 10, 20, 90)]) for one in (letter, "\uffff"))
    finally:
        drawing._font_file.cache_clear()
    assert (named != boxed).any()


@pytest.mark.parametrize(
    ("picture", "name"),
    [(PHOTO, "a.pgm"), (np.zeros((2, 16_384, 3), np.uint8), "a.webp")],
    ids=["a colour picture as grey", "wider than the format allows"],
)
def test_a_picture_that_its_format_cannot_hold_is_one_line(picture, name, tmp_path, capfd):
    height, width = picture.shape[:2]
    with pytest.raises(InputError) as caught:
        write(picture, tmp_path / name)
    assert str(caught.value) == (
        f"--draw {tmp_path / name}: this format holds no colour picture of"
        f" {width} × {height} pixels; convert the photo to PNG"
    )
    assert capfd.readouterr().err == ""
    assert not list(tmp_path.iterdir())


def test_one_photo_goes_into_a_file_and_several_into_a_folder(tmp_path):
    for name in ("a.jpg", "sub/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(PHOTO, tmp_path / name)
    single, both = photo_files([tmp_path / "a.jpg"]), photo_files([tmp_path])
    assert targets(Path("out.jpg"), single) == [Path("out.jpg")]
    assert targets(Path("out"), single) == [Path("out/a.jpg")]
    assert targets(Path("out"), both) == [Path("out/a.jpg"), Path("out/sub/b.jpg")]
    with pytest.raises(InputError, match="one file for 2 photos; give a folder"):
        targets(Path("out.jpg"), both)


def test_nothing_is_overwritten(tmp_path):
    photo = PhotoFile(tmp_path / "a.jpg", "a.jpg")
    for draw, photos in [
        (tmp_path, [photo]),
        (tmp_path / "a.jpg", [photo]),
        (tmp_path / "out", [photo, PhotoFile(tmp_path / "sub" / "a.jpg", "a.jpg")]),
    ]:
        with pytest.raises(InputError, match="would overwrite"):
            targets(draw, photos)


def test_a_picture_is_written_whole_in_the_format_of_its_name(tmp_path):
    write(PHOTO, tmp_path / "new" / "a.png")
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "new" / "a.png")), PHOTO)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write(PHOTO, tmp_path / "file" / "a.png")
