"""Arrays and JSON of others: within bounds they are read, anything else is one line."""

import os
import zipfile

import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.system.foreign_files import read_arrays, read_json


def test_what_was_saved_is_read(tmp_path):
    np.savez(tmp_path / "a.npz", one=np.arange(3), two=np.zeros((2, 2)))
    arrays = read_arrays(tmp_path / "a.npz")
    np.testing.assert_array_equal(arrays["one"], [0, 1, 2])
    assert arrays["two"].shape == (2, 2)
    (tmp_path / "a.json").write_text('{"a": [1]}')
    assert read_json(tmp_path / "a.json") == {"a": [1]}


def objects(path):
    np.savez(path, allow_pickle=True, code=np.array([print]))


def bomb(path):
    np.savez_compressed(path, zeros=np.zeros(1 << 20))


def no_arrays(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("text", "text")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "make", [objects, bomb, no_arrays, os.mkfifo, os.mkdir, lambda path: path.write_text("no")]
)
def test_anything_else_is_one_line(make, tmp_path):
    make(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"^[^\n]*a\.npz: not arrays that can be read [^\n]*$"):
        read_arrays(tmp_path / "a.npz", largest=1 << 20)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\xff", None])
def test_what_is_no_json_is_one_line(text, tmp_path):
    if text is None:
        os.mkfifo(tmp_path / "a.json")
    else:
        (tmp_path / "a.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"^[^\n]*a\.json: not JSON that can be read [^\n]*$"):
        read_json(tmp_path / "a.json")
