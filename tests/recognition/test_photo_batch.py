"""Many photos: each has its lines, and a bad one does not end the batch."""

import json
import os

import cv2
import pytest

from tripletlab.cli import main


@pytest.fixture
def album(photos, bundle, tmp_path, capsys):
    """A folder of two photos, the first of which shows Ann, and three files that are none."""
    words = ["--bundle", str(bundle.folder), "--gallery", str(tmp_path / "gallery")]
    assert main(["enroll", "Ann", str(photos[0]), *words]) == 0
    folder = tmp_path / "album"
    folder.mkdir()
    for path in photos:
        path.rename(folder / path.name)
    (folder / "cut.png").write_bytes((folder / "one.png").read_bytes()[:600])
    (folder / "x.heic").write_text("x")
    capsys.readouterr()
    return folder, words


def test_missing_unreadable_and_unknown_are_different_lines(album, tmp_path, capsys):
    folder, words = album
    assert main(["recognise", str(folder), str(tmp_path / "none.jpg"), *words]) == 2
    said = capsys.readouterr()
    rows = [line.split("\t") for line in said.out.splitlines()]
    names = {row[0].removeprefix(f"{tmp_path}/"): row[1:] for row in rows}
    assert names["album/one.png"] == ["Ann", "0.000", "Ann"]
    assert names["album/other.png"][::2] == ["unknown", "Ann"]
    assert names["album/cut.png"] == names["album/x.heic"] == ["unreadable"]
    assert names["none.jpg"] == ["missing"]
    assert said.err.splitlines()[-1].startswith("tripletlab: 3 of 5 not read: ")
    assert "none.jpg (no such file)" in said.err


def test_json_has_an_object_for_every_photo(album, capsys):
    folder, words = album
    assert main(["recognize", str(folder), "--json", *words]) == 2
    found = {one.pop("photo"): one for one in map(json.loads, capsys.readouterr().out.splitlines())}
    assert len(found) == 4
    (face,) = found[f"{folder}/one.png"]["faces"]
    assert face == {
        "box": [0, 0, 64],
        "name": "Ann",
        "distance": pytest.approx(0, abs=1e-5),
        "nearest": "Ann",
    }
    assert found[f"{folder}/other.png"]["faces"][0]["name"] is None
    assert found[f"{folder}/x.heic"] == {"problem": "HEIC photo: convert it to JPEG"}


def test_faces_are_drawn_into_a_file_or_a_folder(album, tmp_path):
    folder, words = album
    out = tmp_path / "out"
    assert main(["recognise", str(folder), "--draw", str(out), *words]) == 2
    assert sorted(path.name for path in out.iterdir()) == ["one.png", "other.png"]
    photo = str(folder / "one.png")
    assert main(["recognise", photo, "--draw", str(out / "a.jpg"), *words]) == 0
    assert cv2.imread(str(out / "a.jpg")).shape == (64, 64, 3)
    assert main(["recognise", photo, "--draw", photo, *words]) == 2


def test_without_a_gallery_nothing_is_recognised_and_none_is_created(album, tmp_path, capsys):
    folder, words = album
    words = [*words[:-1], str(tmp_path / "galery")]
    assert main(["recognise", str(folder), "--draw", str(tmp_path / "out"), *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "galery: no gallery is there; `tripletlab enrol` begins one" in said.err
    assert not (tmp_path / "galery").exists()


def test_a_file_name_is_one_column_of_one_line(album, capsys):
    folder, words = album
    strange = folder / "no.jpg\tAda\nx.png"
    (folder / "one.png").rename(strange)
    assert main(["recognise", str(strange), *words]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split("\t") == [rf"{folder}/no.jpg\tAda\nx.png", "Ann", "0.000", "Ann"]


def test_any_file_name_can_be_printed(album, capsys):
    folder, words = album
    strange = os.fsencode(folder) + b"/\xff.png"
    os.rename(os.fsencode(folder / "one.png"), strange)
    assert main(["recognise", os.fsdecode(strange), *words]) == 0
    assert capsys.readouterr().out.split("\t")[0].endswith("\\xff.png")
