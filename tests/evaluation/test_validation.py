"""The validation: the store's own pairs, and fixed triplets within one tree."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tripletlab.evaluation.validation import Validation
from tripletlab.faces.store import VALIDATION, FaceStore
from tripletlab.photos.pairs import Pairs

PHOTOS = 3
NAMES = ("ada", "bo", "cy", "ada", "di", "ed")  # ada is in both trees
TREES = np.array([0, 0, 0, 1, 1, 1])


def store() -> FaceStore:
    """Six entries of three faces; every face is filled with its own row number."""
    faces = len(NAMES) * PHOTOS
    first = np.arange(0, faces, PHOTOS)
    mismatched = np.array([0, 3, 6, 12, 12, 15])
    pairs = Pairs(
        first=np.concatenate([first, mismatched]),
        second=np.concatenate([first + 2, np.array([3, 6, 0, 15, 9, 9])]),
        matched=np.arange(12) < 6,
        fold=np.zeros(12, np.int64),
    )
    return FaceStore(
        title="letters",
        images=np.arange(faces, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8),
        offsets=np.arange(0, faces + 1, PHOTOS),
        names=NAMES,
        display_names=NAMES,
        trees=TREES,
        tree_names=("one", "two"),
        sources=tuple(f"photo {row}" for row in range(faces)),
        split=np.full(len(NAMES), VALIDATION),
        validation=pairs,
        settings={},
        fingerprint="",
        notes={},
    )


def test_its_faces_are_those_of_the_pairs_each_once() -> None:
    validation = Validation(store())
    rows = validation.faces[:, 0, 0].tolist()
    pairs = store().validation
    assert rows == sorted({*pairs.first.tolist(), *pairs.second.tolist()})
    assert [rows[k] for k in validation.first] == pairs.first.tolist()
    assert [rows[k] for k in validation.second] == pairs.second.tolist()


def test_a_negative_is_somebody_else_of_the_same_tree() -> None:
    validation = Validation(store())
    rows = validation.faces[:, 0, 0]
    anchors = rows[validation.first[validation.matched]] // PHOTOS
    negatives = rows[validation.negatives] // PHOTOS
    assert (TREES[anchors] == TREES[negatives]).all()
    assert all(NAMES[a] != NAMES[n] for a, n in zip(anchors, negatives, strict=True))


def test_where_the_pairs_show_nobody_else_any_validation_face_is_a_negative() -> None:
    whole = store()
    ada = Pairs(np.array([0]), np.array([2]), np.array([True]), np.array([0]))
    validation = Validation(replace(whole, validation=ada))
    (negative,) = validation.faces[validation.negatives, 0, 0]
    assert 3 <= negative < 9  # bo or cy, the others of ada's tree


def test_the_triplets_are_the_same_each_time() -> None:
    np.testing.assert_array_equal(Validation(store()).negatives, Validation(store()).negatives)


def test_loss_and_auc_agree_with_loops() -> None:
    validation = Validation(store())
    embeddings = np.random.default_rng(0).normal(size=(len(validation.faces), 5)).astype(np.float32)

    def distance(one: int, other: int) -> float:
        return float(((embeddings[one].astype(float) - embeddings[other]) ** 2).sum())

    pairs = [distance(a, b) for a, b in zip(validation.first, validation.second, strict=True)]
    matched = zip(validation.first[:6], validation.second[:6], validation.negatives, strict=True)
    hinges = [max(0, distance(a, p) - distance(a, n) + 0.4) for a, p, n in matched]
    figures = validation.evaluate(embeddings, 0.4)
    assert figures["loss"] == pytest.approx(sum(hinges) / 6)
    wanted = roc_auc_score(validation.matched, -np.array(pairs))
    assert figures["auc"] == pytest.approx(wanted)


def test_a_collapsed_network_has_the_margin_for_a_loss_and_chance_for_an_auc() -> None:
    validation = Validation(store())
    figures = validation.evaluate(np.ones((len(validation.faces), 5), np.float32), 0.2)
    assert figures == pytest.approx({"loss": 0.2, "auc": 0.5})
