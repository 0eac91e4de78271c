"""Photos are found in folders, and what cannot be read is named."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.recognition.photo_files import photo_files, problem, read


def test_a_folder_stands_for_its_photos_at_any_depth(tmp_path):
    for name in ("b.JPG", "a.png", "deep/er/c.webp", "notes.txt", ".hidden.jpg", ".git/d.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    single = tmp_path / "notes.txt"
    found = photo_files([tmp_path, single])
    assert [one.name for one in found] == ["a.png", "b.JPG", "deep/er/c.webp", "notes.txt"]
    assert [one.path for one in found] == [tmp_path / one.name for one in found]


def test_linked_folders_are_searched_once_even_in_a_circle(tmp_path):
    for name in ("album/a.png", "album/own/b.png", "elsewhere/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "album" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "album" / "linked again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "album" / "own" / "circle").symlink_to(tmp_path / "album")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "album" / "own")
    found = photo_files([tmp_path / "album"])
    assert [one.name for one in found] == ["a.png", "own/b.png", "linked/c.png"]


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(InputError, match="no photos in this folder"):
        photo_files([tmp_path])


def test_what_is_not_there_is_not_called_unreadable(tmp_path):
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "a.heic").write_text("x")
    assert problem(Path(tmp_path / "none.jpg")) == "no such file"
    assert problem(tmp_path / "link.jpg") == "no such file"
    assert "not a photo" in problem(tmp_path / "empty.jpg")
    assert "HEIC" in problem(tmp_path / "a.heic")


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".gif", ".avif"])
def test_photos_of_rarer_suffixes_are_found_and_read(tmp_path, suffix):
    picture = cv2.imencode(".jpg" if suffix == ".jfif" else suffix, np.zeros((40, 40, 3), np.uint8))
    (tmp_path / f"a{suffix}").write_bytes(picture[1].tobytes())
    (found,) = photo_files([tmp_path])
    assert read(found.path, colour=True).shape == (40, 40, 3)


def test_it_is_said_how_many_files_were_passed_over(tmp_path, capsys):
    for name in ("a.jpg", "b.txt", "c.txt", ".hidden"):
        (tmp_path / name).touch()
    photo_files([tmp_path])
    said = " ".join(capsys.readouterr().err.split())
    assert "passed over 2 files without a photo's suffix, such as b.txt" in said
