import numpy as np
import pytest

from tripletlab.evaluation.mislabels import suspicion


def clusters(people, photos, seed=0, scatter=0.15):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 1, 16))
    centres /= np.linalg.norm(centres, axis=2, keepdims=True)
    faces = (centres + rng.normal(0, scatter, (people, photos, 16))).reshape(-1, 16)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    return faces.astype(np.float32), np.repeat(np.arange(people), photos)


def test_it_is_what_loops_say():
    faces, labels = clusters(6, 4)
    found = suspicion(faces, labels)
    for face in range(len(faces)):
        distances = {}
        for person in range(6):
            rows = [row for row in np.flatnonzero(labels == person) if row != face]
            mean = faces[rows].sum(axis=0)
            distances[person] = float(((mean / np.linalg.norm(mean) - faces[face]) ** 2).sum())
        own = distances.pop(int(labels[face]))
        nearest = min(distances, key=distances.get)
        assert found.own[face] == pytest.approx(own, abs=1e-5)
        assert found.other[face] == pytest.approx(distances[nearest], abs=1e-5)
        assert found.nearest[face] == nearest


def test_swapped_photos_are_the_most_suspect():
    faces, labels = clusters(20, 10)
    wrong = np.random.default_rng(1).choice(len(labels), 8, replace=False)
    given = labels.copy()
    given[wrong] = (labels[wrong] + 7) % 20
    found = suspicion(faces, given)
    assert set(np.argsort(-found.score)[:8]) == set(wrong)
    np.testing.assert_array_equal(found.nearest[wrong], labels[wrong])
    assert (found.score[wrong] > 0).all()
    assert (np.delete(found.score, wrong) > 0).mean() < 0.02


def test_lonely_faces_and_lonely_people_are_not_suspect():
    faces, labels = clusters(3, 1)
    assert suspicion(faces, labels).own.tolist() == [0, 0, 0]
    alone = suspicion(faces, np.zeros(3, np.int64))
    assert alone.other.tolist() == [4, 4, 4]
    assert (alone.score <= 0).all()
