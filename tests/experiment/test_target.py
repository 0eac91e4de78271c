"""Embeddings from elsewhere: whose rows they are."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.stores import make_pairs
from tripletlab.errors import InputError
from tripletlab.experiment.target import EvaluationTarget, _of_faces, _read, about_people
from tripletlab.experiment.target_evaluation import SHOWN, _print_result
from tripletlab.photos.pairs import Pairs

FACES = np.arange(8 * 3, dtype=np.float32).reshape(8, 3)


def store(first, second):
    """Eight faces, and four pairs of them."""
    pairs = Pairs(np.array(first), np.array(second), np.arange(4) < 2, np.arange(4) % 2)
    return replace(make_pairs(people=4, photos=2), pairs=pairs)


APART = store([0, 2, 4, 6], [3, 1, 7, 5])  # each face is in one pair


def test_rows_of_faces_or_of_pairs_are_asked_for_where_their_number_is_the_same():
    with pytest.raises(InputError, match=r"\(8, 1, 3\) or of \(4, 2, 3\)$"):
        _of_faces(FACES, APART, Path("x.npy"))
    by_pair = FACES[[0, 3, 2, 1, 4, 7, 6, 5]]
    for given in (FACES.reshape(8, 1, 3), by_pair.reshape(4, 2, 3)):
        np.testing.assert_array_equal(_of_faces(given, APART, Path("x.npy")), FACES)


def test_where_both_mean_the_same_nothing_is_asked():
    one_order = store([0, 2, 4, 6], [1, 3, 5, 7])
    np.testing.assert_array_equal(_of_faces(FACES, one_order, Path("x.npy")), FACES)


def test_pairs_in_another_order_are_refused_where_a_face_has_two_embeddings():
    shared = store([0, 0, 1, 2], [1, 2, 3, 3])
    rows = FACES[shared.pairs.sides]
    given = _of_faces(rows.reshape(4, 2, 3), shared, Path("x.npy"))
    np.testing.assert_array_equal(given[:4], FACES[:4])
    assert np.isnan(given[4:]).all()
    _of_faces(rows * (1 + 1e-3 * np.eye(4)[:, :2, None]).astype("f"), shared, Path("x.npy"))
    firsts_then_seconds = rows.swapaxes(0, 1).reshape(4, 2, 3)
    with pytest.raises(InputError, match=r"x\.npy: .*/0000\.jpg in pair 1 differs .* later pair"):
        _of_faces(firsts_then_seconds, shared, Path("x.npy"))


@pytest.mark.parametrize("shape", [(2, 4, 3), (7, 3), (4, 3)])
def test_another_number_of_rows_is_refused(shape):
    with pytest.raises(InputError, match="needs 8, one for each face"):
        _of_faces(np.ones(shape, np.float32), APART, Path("x.npy"))


@pytest.mark.parametrize(
    ("trained_on", "held_out_of", "warnings"),
    [
        (["Ann", "Ben"], "", []),
        (["Ann", "Ben"], "trained", []),
        (["Ann", "Ben"], "changed", ["people are held out anew\n"]),
        (
            ["Ann", "Person 2"],
            "changed",
            ["held out anew; ", "1 of the test people are people whom", "such as person 2: the"],
        ),
        (["Person 1", "Person 2"], "", ["2 of the test people are people whom the network was"]),
        (None, "changed", []),
    ],
)
def test_a_warning_says_whether_test_people_were_trained_on(
    trained_on, held_out_of, warnings, capsys
):
    notes = {**APART.notes, **({"held_out_of": held_out_of} if held_out_of else {})}
    people = None if trained_on is None else {name: name for name in trained_on}
    about = {"faces_fingerprint": "trained"}
    pairs = replace(APART, notes=notes)
    found = about_people(EvaluationTarget("net", pairs, FACES, False, about, people, "run"))
    said = capsys.readouterr().err
    assert bool(said) == bool(warnings)
    assert all(warning in said for warning in warnings)
    assert bool(found) == (trained_on is not None)


def test_what_is_printed_says_which_scatter_it_is(capsys):
    summary = dict.fromkeys((*SHOWN, "accuracy_std"), 0.5)
    _print_result(SimpleNamespace(name="x", store=APART), summary, Path("out"))
    assert re.search(r"accuracy ± std over folds .* 0\.5000 ± 0\.5000", capsys.readouterr().out)


def test_a_file_may_have_the_shape_that_says_it(tmp_path):
    np.save(tmp_path / "x.npy", FACES.reshape(4, 2, 3) + 1)
    assert _read(tmp_path / "x.npy").shape == (4, 2, 3)
