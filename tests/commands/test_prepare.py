"""`prepare` and `data`: what is counted, shown, listed, and found damaged."""

import re

import h5py
import pytest

from tests.commands.conftest import CROPPED
from tripletlab.cli import main


@pytest.mark.parametrize("damage", ["truncated", "another version", "not HDF5"])
def test_a_damaged_store(damage, people, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *CROPPED]) == 0
    path = next(tmp_path.glob("data/*/faces.h5"))
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "not HDF5":
        path.write_text("faces")
    else:
        with h5py.File(path, "r+") as file:
            file.attrs["format"] = 999
    assert main(["prepare", *CROPPED]) == 2
    assert "--fresh" in capfd.readouterr().err
    assert main(["prepare", *CROPPED, "--fresh"]) == 0


def test_data_verify_names_whose_faces_have_changed(people, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["data", "verify"]) == 2
    assert "no faces.h5" in capfd.readouterr().err
    assert main(["prepare", *CROPPED]) == 0
    assert main(["data", "verify"]) == 0
    said = capfd.readouterr().out.splitlines()
    assert len(said) == 2
    assert all(line.endswith("as it was written") for line in said)
    path = next(tmp_path.glob("data/*/faces.h5"))
    with h5py.File(path, "r") as file:
        place, first = file["images"].id.get_offset(), int(file["offsets"][3])
        name = file["names"].asstr()[3]
    data = bytearray(path.read_bytes())
    data[place + first * 64 * 64 + 7] ^= 1
    path.write_bytes(data)
    assert main(["data", "verify"]) == 2
    said = capfd.readouterr()
    assert f"{name}: faces {first} to {first + 9} have changed" in said.out
    assert "1 of 2 stores" in said.err


def test_rejected_photos_are_on_the_card_and_in_a_list(people, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (people / "Ann" / "Ann_0100.jpg").touch()
    assert main(["prepare", *CROPPED]) == 0
    page = next(tmp_path.glob("data/*/faces.html"))
    assert "`tripletlab data rejected` lists them all" in capfd.readouterr().err
    assert main(["data", "rejected"]) == 0
    store, *photos = capfd.readouterr().out.splitlines()
    assert store == f"# {page.with_suffix('.h5').relative_to(tmp_path)}"
    assert photos == ["people/Ann/Ann_0100.jpg\tnot a photo, damaged, or too large"]
    assert "Not used: not a photo, damaged, or too large (1 photo)" in page.read_text()
    assert len(list(tmp_path.glob("data/**/pairs.json"))) == 1
    page.unlink()
    assert main(["prepare", *CROPPED]) == 0
    assert page.is_file()


def test_bad_photos_are_counted_and_stop_nothing(people, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    good = next(people.glob("Ann/*.png")).read_bytes()
    (people / "Ann" / "Ann_0100.jpg").touch()
    (people / "Ann" / "Ann_0101.png").write_bytes(good[: len(good) // 2])
    (people / "Bob" / "notes.txt").write_text("Bob, on a good day")
    assert main(["prepare", *CROPPED]) == 0
    said = capfd.readouterr().err
    assert re.search(r"not a photo, damaged[^│]*│ +3 │ +2\.4% │", said)
    assert "Ann_0100.jpg" in said
