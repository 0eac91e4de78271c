"""Prepared faces and pairs as files: written whole, read as written."""

import os
from dataclasses import fields

import h5py
import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.faces.store import FaceStore, PairStore
from tripletlab.faces.store_writing import write
from tripletlab.photos.pairs import Pairs


def pairs():
    first, second = np.array([0, 1]), np.array([1, 4])
    return Pairs(first, second, np.array([True, False]), np.array([0, 1]))


def contents(**changes):
    """Three people in two trees, of whom b is in both: entries of 2, 3 and 2 faces."""
    images = np.random.default_rng(0).integers(0, 256, (7, 32, 32), np.uint8)
    given = {
        "kind": "faces",
        "title": "three people",
        "settings": {"size": 32, "detector": {"scale": 1.1}},
        "notes": {"photos": 9, "rejected": {"no face found": ["t/a/1.jpg", "t/b/2.jpg"]}},
        "pairs": ("validation", pairs()),
        "arrays": {
            "images": images,
            "offsets": np.array([0, 2, 5, 7]),
            "trees": np.array([0, 0, 1]),
            "split": np.array([0, 1, 1]),
        },
        "texts": {
            "names": ("a", "b", "b"),
            "called": ("A", "B", "B"),
            "tree_names": ("t", "ü"),
            "sources": tuple(f"t/x/{number}.jpg" for number in range(7)),
        },
    }
    return {**given, **changes}


def with_array(name, values):
    return contents(arrays={**contents()["arrays"], name: values})


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "faces.h5", **contents())
    return tmp_path / "faces.h5"


def test_what_was_written_is_read(path):
    opened, given = FaceStore.open(path), contents()
    for name, values in given["arrays"].items():
        np.testing.assert_array_equal(getattr(opened, name), values)
    for name, words in given["texts"].items():
        assert getattr(opened, {"called": "display_names"}.get(name, name)) == words
    for field in fields(Pairs):
        wanted = getattr(pairs(), field.name)
        np.testing.assert_array_equal(getattr(opened.validation, field.name), wanted)
        assert getattr(opened.validation, field.name).dtype == wanted.dtype
    for name in ("title", "settings", "notes"):
        assert getattr(opened, name) == given[name]
    assert opened.size == 32


def test_labels_number_names_and_entries_number_places(path):
    opened = FaceStore.open(path)
    assert opened.entries.tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert opened.labels.tolist() == [0, 0, 1, 1, 1, 1, 1]


def test_images_are_mapped_read_only_from_one_stretch_of_the_file(path):
    images = FaceStore.open(path).images
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable
    with h5py.File(path, "r") as file:
        assert file["images"].id.get_offset() is not None
        assert file["images"].chunks is None
        np.testing.assert_array_equal(images, file["images"][:])


def test_fingerprint_is_of_the_content_alone(tmp_path, path):
    again = tmp_path / "elsewhere" / "faces.h5"
    write(again, **contents(notes={"photos": 0, "rejected": {}}))
    os.utime(again, (0, 0))
    assert FaceStore.open(again).fingerprint == FaceStore.open(path).fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        contents(title="other people"),
        contents(settings={"size": 32, "detector": {"scale": 1.2}}),
        contents(pairs=("validation", Pairs(**{**vars(pairs()), "second": np.array([1, 5])}))),
        contents(texts={**contents()["texts"], "names": ("a", "b", "c")}),
        with_array("images", contents()["arrays"]["images"] ^ (np.arange(32) == 31)),
        with_array("offsets", np.array([0, 3, 5, 7])),
        with_array("trees", np.array([0, 1, 1])),
        with_array("split", np.array([0, 1, 2])),
    ],
)
def test_fingerprint_changes_with_the_content(tmp_path, path, changed):
    write(tmp_path / "changed.h5", **changed)
    changed_print = FaceStore.open(tmp_path / "changed.h5").fingerprint
    assert changed_print != FaceStore.open(path).fingerprint


def pairs_contents():
    given = contents(kind="pairs", pairs=("pairs", pairs()))
    arrays = {
        "images": given["arrays"]["images"],
        "fallback": np.arange(7) == 3,
        "map_rows": np.array([2, 6]),
    }
    texts = {
        "names": tuple("abcdefg"),
        "called": tuple("ABCDEFG"),
        "sources": given["texts"]["sources"],
    }
    return {**given, "arrays": arrays, "texts": texts}


def test_pairs_are_read_as_written(tmp_path):
    write(tmp_path / "pairs.h5", **pairs_contents())
    opened = PairStore.open(tmp_path / "pairs.h5")
    np.testing.assert_array_equal(opened.images, contents()["arrays"]["images"])
    np.testing.assert_array_equal(opened.pairs.second, pairs().second)
    assert opened.fallback.tolist() == [False, False, False, True, False, False, False]
    assert opened.map_rows.tolist() == [2, 6]
    assert opened.names == tuple("abcdefg")
    assert opened.display_names == tuple("ABCDEFG")


class Interrupted(dict):
    """Texts during whose writing, when the images are in the file already, Ctrl-C is pressed."""

    def items(self):
        raise KeyboardInterrupt


def test_nothing_is_left_of_an_interrupted_write(tmp_path):
    given = contents()
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "new.h5", **{**given, "texts": Interrupted(given["texts"])})
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_the_file_that_was_there(path):
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write(path, **{**contents(title="new"), "texts": Interrupted(contents()["texts"])})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "file" / "faces.h5", **contents())


def test_every_split_that_is_written_can_be_read(tmp_path):
    """Among them the people who calibrate thresholds."""
    from tripletlab import config
    from tripletlab.experiment.data import prepare
    from tripletlab.faces.store import CALIBRATION

    words = ["photos.people=24", "photos.photos=10", "verification.people=60"]
    words += ["verification.per_fold=10", f"data={tmp_path}"]
    made = prepare(config.compose("prepare", words), fresh=False)
    assert CALIBRATION in made.faces.split
