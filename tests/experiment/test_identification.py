"""The list of enrolled photos: who is enrolled, who is searched for, and lines that are wrong."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.stores import make_pairs
from tripletlab.errors import InputError
from tripletlab.experiment import identification
from tripletlab.experiment.identification import _split, identify_people
from tripletlab.experiment.target import EvaluationTarget

STORE = make_pairs(people=5, photos=3)


def split(folder, text, there=None, store=STORE):
    path = folder / "gallery.txt"
    path.write_text(text, "utf-8")
    return _split(path, store, np.arange(15) if there is None else there)


def test_what_is_listed_is_enrolled_and_all_else_is_searched_for(tmp_path):
    found = split(tmp_path, "person 0\t0\n\nperson 2\t1\nperson 0\t2\n")
    assert found.gallery.tolist() == [0, 2, 7]
    assert found.probes.tolist() == [row for row in range(15) if row not in (0, 2, 7)]


def test_blanks_and_a_byte_order_mark_mean_nothing_as_in_pairs_files(tmp_path):
    text = "\ufeffperson 0\t0 \n  \nperson 2 \t 1\t\n"
    assert split(tmp_path, text).gallery.tolist() == [0, 7]


def test_a_photo_that_is_listed_twice_is_enrolled_once(tmp_path):
    assert split(tmp_path, "person 1\t1\nperson 1\t0001\n").gallery.tolist() == [4]


def test_places_are_among_the_faces_that_have_an_embedding(tmp_path):
    there = np.array([1, 2, 4, 5, 7])
    found = split(tmp_path, "person 1\t1\n", there)
    assert found.gallery.tolist() == [2]
    assert found.probes.tolist() == [0, 1, 3, 4]
    with pytest.raises(InputError, match="line 1: photo 0 of person 1 is not in blobs"):
        split(tmp_path, "person 1\t0\n", there)


def test_numbers_are_read_as_in_pairs_files(tmp_path):
    files = ("b1", "b12", "b00123", "b12345", "b12345678", "Ann_0002", "b2", "b02", "none")
    store = replace(
        STORE,
        names=("Ann",) * 6 + ("Ben",) * 3,
        sources=tuple(f"blobs/{name}.jpg" for name in files),
    )
    for row, number in enumerate((1, 12, 123, 12345, 12345678, 2)):
        found = split(tmp_path, f"Ann\t{number}\n", np.arange(9), store)
        assert found.gallery.tolist() == [row]
    with pytest.raises(
        InputError, match=r"line 1: photo 2 of Ben can be b2\.jpg, b02\.jpg: rename"
    ):
        split(tmp_path, "Ben\t2\n", np.arange(9), store)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("person 0 0\n", "line 1: write a name, a tab"),
        ("person 0\t0\nperson 0\tone\n", "line 2: write a name, a tab"),
        ("person 0\t-1\n", "line 1: write a name, a tab"),
        ("person 0\t0\t1\n", "line 1: write a name, a tab"),
        ("nobody\t0\n", "line 1: photo 0 of nobody is not in blobs"),
        ("person 0\t3\n", "line 1: photo 3 of person 0 is not in blobs"),
        ("", "nobody is enrolled"),
        ("\n\n", "nobody is enrolled"),
    ],
)
def test_a_list_that_is_wrong_is_one_line(text, says, tmp_path):
    with pytest.raises(InputError, match=says):
        split(tmp_path, text)


def test_a_list_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        _split(tmp_path / "none.txt", STORE, np.arange(15))
    (tmp_path / "latin.txt").write_bytes(b"Zo\xeb\t1\n")
    with pytest.raises(InputError, match="cannot be read"):
        _split(tmp_path / "latin.txt", STORE, np.arange(15))


def test_results_on_another_set_do_not_replace_those_on_the_first(tmp_path, monkeypatch, capsys):
    tracker = SimpleNamespace(folder=str(tmp_path))
    monkeypatch.setattr(identification, "tracker_of", lambda *_, **__: tracker)
    embeddings = np.eye(15, dtype=np.float32)
    for store in (STORE, replace(STORE, title="others")):
        target = EvaluationTarget("a", store, embeddings, False, {}, None, None)
        monkeypatch.setattr(identification, "find_target", lambda *_, found=target: found)
        identify_people("champion", [], gallery=None, folder=None)
    written = sorted(tmp_path.glob("evaluations/*/identification.json"))
    assert [one.parent.name for one in written] == [
        "champion-blobs-identification",
        "champion-others-identification",
    ]
    printed = " ".join(capsys.readouterr().out.split())
    assert "(few): too few searches for unknown people for 30 false alarms." in printed
    assert "Two galleries: " in printed
