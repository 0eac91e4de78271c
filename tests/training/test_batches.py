import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.training.augmentation import none
from tripletlab.training.batches import LARGE, PeopleByPhotos
from tripletlab.triplets.miners import semihard


def batches(store, **changes):
    settings = {"people": 3, "photos": 4, "steps": 5, "seed": 1}
    given = {"augmentation": none, "miner": semihard, **settings, **changes}
    return PeopleByPhotos(store, **given)


def rows_of(store, faces):
    """The store's row of each face; the blobs are all different."""
    known = {image.tobytes(): row for row, image in enumerate(store.images)}
    return np.array([known[face.tobytes()] for face in faces[..., 0]])


def test_a_batch_is_people_by_photos_of_one_tree(store):
    trees = set()
    for index in range(20):
        faces, labels = batches(store, steps=20)[index]
        assert faces.shape == (12, 32, 32, 1)
        assert faces.dtype == np.uint8
        rows = rows_of(store, faces)
        assert len(set(rows)) == 12  # no face twice
        np.testing.assert_array_equal(np.bincount(labels)[np.unique(labels)], [4, 4, 4])
        names = np.array(store.names)[store.entries[rows]]
        assert len({*zip(labels, names, strict=True)}) == 3  # a label is a name
        tree = set(store.trees[store.entries[rows]])
        assert len(tree) == 1
        trees |= tree
    assert trees == {0, 1}


def test_every_face_is_drawn_and_trees_in_proportion_to_their_people(store):
    trees = np.where(np.arange(12) < 9, 0, 1)
    source = batches(dataclasses.replace(store, trees=trees), photos=2)
    drawn = [source.draw(np.random.default_rng(seed))[0] for seed in range(400)]
    assert set(np.concatenate(drawn)) == set(range(len(store.images)))
    first = np.mean([trees[store.entries[rows[0]]] == 0 for rows in drawn])
    assert first == pytest.approx(9 / 12, abs=0.08)


def test_a_person_of_two_trees_has_one_label(store):
    source = batches(store)
    labels = {(one.label, one.tree) for tree in source.trees for one in tree}
    assert len(labels) == 12
    assert len({label for label, _ in labels}) == 10


def test_batches_follow_from_seed_epoch_and_index(store):
    one, same, other = batches(store), batches(store), batches(store, seed=2)
    np.testing.assert_array_equal(one[3][0], same[3][0])
    assert not np.array_equal(one[3][0], other[3][0])
    one.begin(2, None)
    assert not np.array_equal(one[3][0], same[3][0])


@pytest.mark.parametrize(
    ("own", "returns"),
    [(lambda faces, rng: None, "NoneType"), (lambda faces, rng: faces[:, 1:], r"\(12, 31, 32\)")],
)
def test_an_augmentation_that_returns_no_such_faces_is_refused(store, own, returns):
    with pytest.raises(InputError, match=f"^augmentation: it returns {returns}, and not faces"):
        batches(store, augmentation=own)[0]


def test_only_the_training_split_is_drawn(store):
    split = np.zeros(12, np.int64)
    split[[0, 7]] = 1, 2
    source = batches(dataclasses.replace(store, split=split))
    starts = {one.start for tree in source.trees for one in tree}
    assert starts == {*store.offsets[:-1]} - {*store.offsets[[0, 7]]}


def test_people_with_too_few_photos_are_left_out_and_counted(store):
    offsets = store.offsets.copy()
    offsets[1] = 2  # the first has two faces, the second ten
    source = batches(dataclasses.replace(store, offsets=offsets))
    assert source.why_left_out == ["one: people with fewer than 4 faces (1)"]
    # The first person has enough in the other tree.
    assert source.left_out == set()
    assert len(source.trained_on) == 10
    offsets[1] = 4  # exactly as many as a batch shows
    assert batches(dataclasses.replace(store, offsets=offsets)).why_left_out == []


def test_a_tree_that_cannot_fill_a_batch_is_named_with_its_people(store):
    trees = np.where(np.arange(12) < 9, 0, 1)  # of the last three, two are in the first tree too
    source = batches(dataclasses.replace(store, trees=trees), people=4)
    assert source.why_left_out == ["two: too few people for a batch of 4 (3)"]
    assert source.left_out == {"person 9"}
    assert source.trained_on == {f"person {number}": f"person {number}" for number in range(9)}


@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="Linux shows how it reads")
@pytest.mark.parametrize(("more", "at_random"), [(1, True), (0, False)])
def test_a_large_file_is_read_face_by_face(store, tmp_path, more, at_random):
    file = tmp_path / "faces"
    file.touch()
    os.truncate(file, LARGE + more * 32 * 32)  # a hole: it takes no place
    faces = np.memmap(file, np.uint8, mode="r", shape=(LARGE // 1024 + more, 32, 32))
    source = batches(dataclasses.replace(store, images=faces))
    assert not source[0][0].any()
    shown = Path("/proc/self/smaps").read_text().partition(str(file))[2]
    flags = shown.partition("VmFlags:")[2].partition("\n")[0].split()
    assert ("rr" in flags) == at_random  # advised to be read at random


def test_so_many_identities_are_drawn_by_the_seed_and_the_others_are_left_out(store):
    store = dataclasses.replace(store, trees=np.zeros(12, np.int64))
    everyone = set(batches(store).trained_on)
    few, more, other = (
        set(batches(store, identities=count, seed=seed).trained_on)
        for count, seed in ((4, 1), (6, 1), (4, 2))
    )
    assert (len(few), len(more)) == (4, 6)
    assert few < more < everyone
    assert few != other
    source = batches(store, identities=4)
    assert source.left_out == everyone - few
    assert source.why_left_out == []  # it was asked for
    shown = {
        store.names[entry]
        for i in range(5)
        for entry in store.entries[rows_of(store, source[i][0])]
    }
    assert shown <= few
    assert batches(store, identities=len(everyone)).trained_on == batches(store).trained_on


def test_more_identities_than_there_are(store):
    with pytest.raises(
        InputError, match=r"batches.identities=11: batches can show 10 training people"
    ):
        batches(store, identities=11)


def test_identities_that_are_all_of_different_trees(store):
    with pytest.raises(InputError, match=r"batches.identities=2: no two .* seed=1 are in one tree"):
        batches(store, identities=2)


def test_too_few_people_for_a_batch_are_all_of_the_largest_tree(store, capsys):
    source = batches(store, people=7)
    assert source.people * source.photos == source.batch_size == len(source[0][1])
    assert len(set(source[0][1].tolist())) == 6
    said = " ".join(capsys.readouterr().err.split())
    assert "batches.people=7: 6 people can be trained on; batches have 6" in said


def test_too_many_photos_asked_for(store):
    with pytest.raises(InputError, match=r"batches.photos=11: no tree .* two people with 11 faces"):
        batches(store, photos=11)


def test_two_people_are_the_fewest(store):
    split = np.ones(12, np.int64)
    split[[0, 11]] = 0  # one in each tree
    with pytest.raises(InputError, match="no tree of training photos has two people"):
        batches(dataclasses.replace(store, split=split), people=2)
    split[1] = 0
    assert batches(dataclasses.replace(store, split=split), people=2).batch_size == 8
