import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.faces.pair_faces import CROPPED, prepare_pairs
from tripletlab.faces.store import PEOPLE_UNKNOWN, PairStore
from tripletlab.photos.packed_pairs import packed_pairs
from tripletlab.photos.pair_photos import people_of
from tripletlab.photos.pairs import NamedPair, PhotoOf, write_pairs_txt
from tripletlab.photos.sources import VerificationPhotos
from tripletlab.photos.tree import Tree

NAMED = [
    NamedPair(PhotoOf("Ann", 1), PhotoOf("Ann", 3), 0),
    NamedPair(PhotoOf("Ann", 2), PhotoOf("Ben", 1), 0),
    NamedPair(PhotoOf("Ben", 1), PhotoOf("Ben", 2), 1),
    NamedPair(PhotoOf("Cem", 1), PhotoOf("Ben", 2), 1),
]


@pytest.fixture
def photos(tmp_path, grow):
    tree = grow("lfw", {"Ann": 3, "Ben": 3, "Cem": 1, "Dan": 2})
    write_pairs_txt(tmp_path / "pairs.txt", NAMED, folds=2)
    return VerificationPhotos(
        "LFW", Tree("lfw", (tree,), cropped=False), (tmp_path / "pairs.txt",), ("Ben", "Dan")
    )


@pytest.fixture
def prepare(tmp_path, recipe):
    def run(photos, fresh=False):
        return prepare_pairs(photos, recipe, settings={}, folder=tmp_path / "data", fresh=fresh)

    return run


def test_pairs_are_those_of_the_file(photos, prepare, recipe):
    store = PairStore.open(prepare(photos).path)
    assert len(store.pairs.first) == len(NAMED)
    for place, (first, second, fold) in enumerate(NAMED):
        for (name, number), rows in ((first, store.pairs.first), (second, store.pairs.second)):
            row = rows[place]
            assert store.names[row] == name
            assert store.sources[row] == f"lfw/{name}/{name}_{number:04d}.png"
            file = photos.tree.folders[0] / name / f"{name}_{number:04d}.png"
            wanted = recipe.face(file, cropped=False).image
            np.testing.assert_array_equal(store.images[row], wanted)
        assert store.pairs.fold[place] == fold
        assert store.pairs.matched[place] == (first.name == second.name)


def test_only_photos_of_pairs_and_map_are_in_it(photos, prepare):
    store = PairStore.open(prepare(photos).path)
    assert sorted(store.names) == ["Ann"] * 3 + ["Ben"] * 3 + ["Cem"] + ["Dan"] * 2
    on_map = [store.sources[row] for row in store.map_rows]
    assert on_map == [
        *(f"lfw/Ben/Ben_000{number}.png" for number in (1, 2, 3)),
        *(f"lfw/Dan/Dan_000{number}.png" for number in (1, 2)),
    ]


def test_photo_without_a_face_gives_its_middle_and_is_counted(photos, prepare):
    path = photos.tree.folders[0] / "Cem" / "Cem_0001.png"
    plain = np.tile(np.arange(80, dtype=np.uint8), (80, 1))
    cv2.imwrite(str(path), plain)
    store = PairStore.open(prepare(photos).path)
    row = store.names.index("Cem")
    assert np.flatnonzero(store.fallback).tolist() == [row]
    middle = cv2.resize(plain[20:60, 20:60], (32, 32), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(store.images[row], middle)
    counted = {"photos": 1, "such_as": ["lfw/Cem/Cem_0001.png"]}
    assert store.notes["rejected"] == {"no face found, middle taken": counted}
    assert len(store.pairs.first) == len(NAMED)


def test_the_crop_of_lfwcrop_stands_in_for_a_photo_without_a_face(photos, prepare, tmp_path):
    (tmp_path / "faces").mkdir()
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
    for name, image in zip(("Cem_0001", "Ann_0001"), crops, strict=True):
        cv2.imwrite(str(tmp_path / "faces" / f"{name}.pgm"), image)
    folder = photos.tree.folders[0]
    cv2.imwrite(str(folder / "Cem" / "Cem_0001.png"), np.full((80, 80), 9, np.uint8))
    without = prepare(photos)
    made = prepare(replace(photos, instead=tmp_path / "faces"))
    assert made.path != without.path
    store = PairStore.open(made.path)
    wanted = cv2.resize(crops[0], (32, 32), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(store.images[store.names.index("Cem")], wanted)
    assert not store.fallback.any()
    assert list(store.notes["rejected"]) == [CROPPED]
    (folder / "Cem" / "Cem_0001.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"Cem_0001\.png: .*damaged"):
        prepare(replace(photos, instead=tmp_path / "faces"))


def test_the_folds_of_two_files_follow_each_other(photos, prepare, tmp_path):
    """As LFW's view 1 has them: one fold in each file."""
    for place, name in enumerate(("train.txt", "test.txt")):
        pairs = [pair._replace(fold=0) for pair in NAMED[2 * place : 2 * place + 2]]
        write_pairs_txt(tmp_path / name, pairs, folds=1)
    both = replace(photos, pairs=(tmp_path / "train.txt", tmp_path / "test.txt"))
    assert PairStore.open(prepare(both).path).pairs.fold.tolist() == [0, 0, 1, 1]
    with pytest.raises(InputError, match=r"train\.txt: a single fold"):
        prepare(replace(photos, pairs=(tmp_path / "train.txt",)))


def test_damaged_photo_is_an_error_that_names_it(photos, prepare, tmp_path):
    (photos.tree.folders[0] / "Ben" / "Ben_0002.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"Ben_0002\.png"):
        prepare(photos)
    assert not list(tmp_path.glob("data/**/*.h5"))


def test_a_damaged_photo_of_no_pair_is_left_out_of_the_map(photos, prepare):
    whole = PairStore.open(prepare(photos).path)
    (photos.tree.folders[0] / "Ben" / "Ben_0003.png").write_bytes(b"")
    store = PairStore.open(prepare(photos).path)
    lost = whole.sources.index("lfw/Ben/Ben_0003.png")
    assert store.sources == whole.sources[:lost] + whole.sources[lost + 1 :]
    assert store.names == whole.names[:lost] + whole.names[lost + 1 :]
    np.testing.assert_array_equal(store.images, np.delete(whole.images, lost, axis=0))
    for rows, before in ((store.pairs.first, whole.pairs.first), (store.map_rows, whole.map_rows)):
        there = [whole.sources[row] for row in before if row != lost]
        assert [store.sources[row] for row in rows] == there
    assert store.notes["kept"] == store.notes["photos"] - 1 == len(store.images)
    (why,) = store.notes["rejected"]
    assert why.endswith("; not on the map")


def test_what_is_there_is_used_again_until_something_changes(photos, prepare):
    first = prepare(photos)
    assert not first.reused
    assert prepare(photos) == replace(first, reused=True)
    assert prepare(photos, fresh=True) == first
    other_map = prepare(replace(photos, map_people=("Dan", "Ben")))
    cropped = prepare(replace(photos, tree=replace(photos.tree, cropped=True)))
    first_of_ben, second_of_ben = NAMED[2][:2]
    swapped = [
        NAMED[0],
        NAMED[1]._replace(second=second_of_ben),
        NAMED[2],
        NAMED[3]._replace(second=first_of_ben),
    ]
    write_pairs_txt(photos.pairs[0], swapped, folds=2)
    other_pairs = prepare(photos)
    assert len({made.path for made in (first, other_map, cropped, other_pairs)}) == 4


def test_a_link_to_another_photo_makes_other_pairs(photos, prepare, tmp_path):
    linked = photos.tree.folders[0] / "Ann" / "Ann_0003.png"
    target = tmp_path / "target.png"
    linked.rename(target)
    linked.symlink_to(target)
    before = prepare(photos)
    assert prepare(photos) == replace(before, reused=True)
    cv2.imwrite(str(target), np.full((90, 90), 9, np.uint8))
    assert prepare(photos).path != before.path


@pytest.mark.parametrize("cropped", [True, False])
def test_a_packed_set_is_taken_as_cropped_or_detected_again(
    cropped, prepare, recipe, drawn, tmp_path
):
    photos = [cv2.imencode(".png", drawn(row // 2, row % 2))[1].tobytes() for row in range(24)]
    first, second = photos[::2], photos[1::2]
    pairs = [*zip(first, second, strict=True), *zip(first, second[1:] + second[:1], strict=True)]
    packed = [photo for pair in pairs for photo in pair], [True] * 12 + [False] * 12
    (tmp_path / "some.bin").write_bytes(pickle.dumps(packed))
    path = str(tmp_path / "some.bin")
    verification = packed_pairs(folder=str(tmp_path / "unpacked"), path=path, cropped=cropped)
    store = PairStore.open(prepare(verification).path)
    assert len(store.images) == 24
    assert len(store.pairs.first) == 24
    for row, file in enumerate(verification.read().files):
        wanted = recipe.verification_face(file, cropped=cropped).image
        np.testing.assert_array_equal(store.images[row], wanted)
    names = {f"some.bin {number}" for number in range(1, 13)}
    assert set(store.names) == set(people_of(verification)) == names
    assert set(store.display_names) == {""}
    assert store.notes[PEOPLE_UNKNOWN]
    assert prepare(verification).reused
    other = replace(verification, tree=replace(verification.tree, cropped=not cropped))
    assert not prepare(other).reused


def test_the_people_of_lfw_are_the_folders(photos, prepare):
    assert people_of(photos) == {name: name for name in ("Ann", "Ben", "Cem", "Dan")}
    assert PEOPLE_UNKNOWN not in PairStore.open(prepare(photos).path).notes
