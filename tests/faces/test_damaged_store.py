"""A store that is missing, damaged or made to do harm: one line, which says what to do."""

import h5py
import numpy as np
import pytest

from tests.faces.test_store import contents
from tripletlab.errors import InputError
from tripletlab.faces import store
from tripletlab.faces.store import FaceStore, PairStore
from tripletlab.faces.store_writing import damage, write


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "faces.h5", **contents())
    return tmp_path / "faces.h5"


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"no such file.*prepare --fresh") as error:
        FaceStore.open(tmp_path / "faces.h5")
    one_line(error)


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_truncated_file(path, kept):
    data = path.read_bytes()
    path.write_bytes(data[: kept if isinstance(kept, int) else int(kept * len(data))])
    with pytest.raises(InputError, match=r"truncated.*prepare --fresh") as error:
        FaceStore.open(path)
    assert str(path) in one_line(error)


def test_file_of_another_format(path):
    path.write_text("this is no HDF5 file " * 100)
    with pytest.raises(InputError, match="not an HDF5 file"):
        FaceStore.open(path)


def test_file_of_another_version_or_kind(path):
    with pytest.raises(InputError, match=r"holds faces .* and not pairs"):
        PairStore.open(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = store.FORMAT + 1
    with pytest.raises(InputError, match=rf"in version {store.FORMAT + 1} .*prepare --fresh"):
        FaceStore.open(path)
    with h5py.File(path, "w") as file:
        file["something"] = 1
    with pytest.raises(InputError, match="something else"):
        FaceStore.open(path)


def test_file_without_a_part(path):
    with h5py.File(path, "r+") as file:
        del file["split"]
    with pytest.raises(InputError, match="a part of it is missing"):
        FaceStore.open(path)


def replaced(file, name, *made, **more):
    del file[name]
    file.create_dataset(name, *made, **more)


HOSTILE = {
    "settings are no JSON": lambda file: file.attrs.update(settings="{"),
    "settings are no mapping": lambda file: file.attrs.update(settings="[]"),
    "deep": lambda file: file.attrs.update(notes="[" * 100_000),
    "chunked": lambda file: replaced(file, "images", (7, 32, 32), np.uint8, chunks=(1, 32, 32)),
    "vast": lambda file: replaced(file, "images", (10**12, 32, 32), np.uint8),
    "vast offsets": lambda file: replaced(file, "offsets", (10**13,), np.int64),
    "external": lambda file: replaced(
        file, "images", (7, 32, 32), np.uint8, external=[("other", 0, 7168)]
    ),
    "floats": lambda file: replaced(file, "images", data=np.zeros((7, 32, 32))),
    "flat": lambda file: replaced(file, "images", data=np.zeros(7, np.uint8)),
    "numbers as names": lambda file: replaced(file, "names", data=np.arange(3)),
    "beyond": lambda file: replaced(file, "offsets", data=np.array([0, 2, 5, 99])),
    "backwards": lambda file: replaced(file, "offsets", data=np.array([0, 9, 5, 7])),
    "no such tree": lambda file: replaced(file, "trees", data=np.array([0, 0, 5])),
    "too few": lambda file: replaced(file, "split", data=np.array([0, 1])),
    "a row that is none": lambda file: replaced(file, "validation/first", data=np.array([0, -1])),
}


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.timeout(20)
def test_hostile_content_is_one_line(path, hostile):
    with h5py.File(path, "r+") as file:
        HOSTILE[hostile](file)
    with pytest.raises(InputError, match=r"not as it is written.*prepare --fresh") as error:
        FaceStore.open(path)
    assert len(one_line(error)) < 600


@pytest.mark.parametrize("link", [h5py.SoftLink("/images"), h5py.ExternalLink("x.h5", "/images")])
def test_links_are_not_followed(path, link):
    with h5py.File(path, "r+") as file:
        del file["images"]
        file["images"] = link
    with pytest.raises(InputError, match=r"faces\.h5: .*prepare --fresh"):
        FaceStore.open(path)
    with pytest.raises(InputError, match=r"faces\.h5: .*prepare --fresh"):
        damage(path)
