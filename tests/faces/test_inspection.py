"""`tripletlab data` on stores that are whole, damaged and missing."""

import shutil

import h5py
import numpy as np
import pytest

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.experiment.data import prepare
from tripletlab.faces.inspection import print_rejected, verify

PEOPLE = ["photos.people=12", "photos.photos=6", "verification.people=60"]
SMALL = [*PEOPLE, "verification.per_fold=4", "faces.min_photos=2"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    prepare(config.compose("prepare", [*SMALL, f"data={data}"]), fresh=False)
    return data


@pytest.fixture
def data(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "data", ignore=shutil.ignore_patterns("*.jpg"))


def test_stores_that_are_whole_are_said_to_be(data, capsys):
    verify(data)
    lines = capsys.readouterr().out.splitlines()
    assert {line.rpartition("/")[2] for line in lines} == {
        "faces.h5: as it was written",
        "pairs.h5: as it was written",
    }
    assert len(lines) == 2


@pytest.mark.parametrize("name", ["faces.h5", "pairs.h5"])
def test_one_changed_pixel_is_found(name, data, capsys):
    (path,) = data.rglob(name)
    with h5py.File(path, "r+") as file:
        file["images"][0, 3, 5] ^= 1
    with pytest.raises(InputError, match="1 of 2 stores"):
        verify(data)
    out = capsys.readouterr().out
    assert f"{path}: the fingerprint is another" in out
    assert out.count("as it was written") == 1


@pytest.mark.parametrize("key", ["title", "settings"])
def test_a_changed_attribute_is_found(key, data):
    (path,) = data.rglob("faces.h5")
    with h5py.File(path, "r+") as file:
        file.attrs[key] = file.attrs[key].replace("s", "z", 1)
    with pytest.raises(InputError, match="1 of 2 stores"):
        verify(data)


def test_a_changed_name_is_found(data):
    (path,) = data.rglob("faces.h5")
    with h5py.File(path, "r+") as file:
        file["names"][0] = "somebody else"
    with pytest.raises(InputError, match="1 of 2 stores"):
        verify(data)


def test_a_file_that_is_no_store_does_not_hide_the_others(data, capsys):
    (path,) = data.rglob("faces.h5")
    path.write_bytes(np.arange(100, dtype=np.uint8).tobytes())
    with pytest.raises(InputError, match="1 of 2 stores"):
        verify(data)
    assert "pairs.h5: as it was written" in capsys.readouterr().out


def test_where_no_store_is_a_line_says_so(tmp_path):
    with pytest.raises(InputError, match=r"no faces\.h5 or pairs\.h5"):
        verify(tmp_path)
    with pytest.raises(InputError, match=r"no faces\.h5 in it"):
        print_rejected(tmp_path)
