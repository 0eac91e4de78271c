import os
import pickle
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.evaluation.validation import Validation
from tripletlab.faces import store_paths
from tripletlab.faces.cleaning import REPEATED
from tripletlab.faces.face_store_writing import split_names, validation_pairs
from tripletlab.faces.journal import Journal
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.recipe import NO_FACE, TOO_FEW, UNREADABLE
from tripletlab.faces.store import (
    CALIBRATION,
    HELDOUT,
    TRAIN,
    VALIDATION,
    FaceStore,
    rejected_photos,
)
from tripletlab.photos.hygiene import LISTED, PHOTO_LISTED, SHARED, Hygiene
from tripletlab.photos.sources import Heldout, TrainingPhotos, vggface2
from tripletlab.photos.tree import Tree


def held(fraction, folds=0):
    return Heldout(fraction, folds=folds, per_fold=10, seed=0)


ALLOWING = Hygiene(exclude=[], shared="allow")
PEOPLE = dict.fromkeys(("Ann", "Ben", "Cem", "Dan", "Eva", "Fay"), 4)


@pytest.fixture
def prepare(tmp_path, recipe):
    """Prepare trees of `tmp_path`; a name that ends in a star is a tree of cropped faces."""

    def run(
        *trees,
        recipe=recipe,
        hygiene=ALLOWING,
        people=None,
        heldout=None,
        fresh=False,
        folder="data",
    ):
        photos = [
            Tree(name.strip("*"), (tmp_path / name.strip("*"),), cropped=name.endswith("*"))
            for name in trees
        ]
        return prepare_faces(
            TrainingPhotos("photos", tuple(photos)),
            recipe,
            hygiene=hygiene,
            verification_people=people or {},
            heldout=heldout,
            settings={"size": recipe.size, "max_photos": recipe.max_photos},
            folder=tmp_path / folder,
            fresh=fresh,
        )

    return run


def test_every_face_is_its_photos(grow, prepare, recipe):
    tree = grow("tree", PEOPLE)
    made = prepare("tree")
    store = FaceStore.open(made.path)
    assert not made.reused
    assert store.names == tuple(PEOPLE)
    assert store.tree_names == ("tree",)
    assert store.offsets.tolist() == list(range(0, 25, 4))
    for source, image, entry in zip(store.sources, store.images, store.entries, strict=True):
        _, name, file = source.split("/")
        assert name == store.names[entry]
        face = recipe.face(tree / name / file, cropped=False)
        np.testing.assert_array_equal(image, face.image)


def test_bad_photos_are_left_out_by_their_reasons(tmp_path, grow, prepare):
    tree = grow("tree", {**PEOPLE, "Few": 2})
    cv2.imwrite(str(tree / "Ann" / "b.png"), np.full((90, 90), 99, np.uint8))
    (tree / "Ann" / "a.jpg").write_bytes(b"")
    (tree / "Ben" / "a.jpg").write_text("no photo")
    whole = (tree / "Cem" / "Cem_0001.png").read_bytes()
    (tree / "Cem" / "z.png").write_bytes(whole[: len(whole) // 2])
    path = prepare("tree").path
    store = FaceStore.open(path)
    assert store.notes["photos"] == 6 * 4 + 2 + 4
    assert store.notes["rejected"] == {
        UNREADABLE: {
            "photos": 3,
            "such_as": ["tree/Ann/a.jpg", "tree/Ben/a.jpg", "tree/Cem/z.png"],
        },
        TOO_FEW: {"photos": 2, "such_as": ["tree/Few/Few_0001.png"]},
        NO_FACE: {"photos": 1, "such_as": ["tree/Ann/b.png"]},
    }
    assert dict(rejected_photos(path)) == {
        "tree/Ann/a.jpg": UNREADABLE,
        "tree/Ann/b.png": NO_FACE,
        "tree/Ben/a.jpg": UNREADABLE,
        "tree/Cem/z.png": UNREADABLE,
        "tree/Few/Few_0001.png": TOO_FEW,
        "tree/Few/Few_0002.png": TOO_FEW,
    }
    assert store.notes["kept"] == len(store.images) == 6 * 4
    assert "Few" not in store.names


def test_only_so_many_photos_of_a_person_are_kept(grow, prepare, recipe):
    tree = grow("tree", PEOPLE)
    (tree / "Ann" / "A.jpg").write_bytes(b"")
    store = FaceStore.open(prepare("tree", recipe=replace(recipe, max_photos=3)).path)
    assert np.diff(store.offsets).tolist() == [3] * 6
    assert store.sources[:3] == tuple(f"tree/Ann/Ann_000{number}.png" for number in (1, 2, 3))


def test_a_name_in_two_trees_is_one_person_in_one_split(grow, prepare):
    grow("wide", PEOPLE)
    grow("tight", {"Ann": 3, "Ben": 3, "Cem": 3, "Gil": 3})
    store = FaceStore.open(prepare("wide", "tight*").path)
    assert store.names == (*PEOPLE, "Ann", "Ben", "Cem", "Gil")
    assert store.trees.tolist() == [0] * 6 + [1] * 4
    splits = {
        name: {s for n, s in zip(store.names, store.split, strict=True) if n == name}
        for name in store.names
    }
    assert all(len(found) == 1 for found in splits.values())
    assert set(store.labels[store.entries == 0]) == set(store.labels[store.entries == 6])
    assert len(set(store.labels.tolist())) == 7


def test_validation_pairs_are_of_validation_people_in_one_tree(grow, prepare):
    grow("one", {**PEOPLE, **dict.fromkeys(("Hal", "Ida", "Jon", "Kim"), 3)})
    grow("two", dict.fromkeys(("Lea", "Max", "Noa", "Ole", "Pia", "Quy"), 3))
    store = FaceStore.open(prepare("one", "two*").path)
    pairs = store.validation
    first, second = store.entries[pairs.first], store.entries[pairs.second]
    assert pairs.matched.sum() == (~pairs.matched).sum() > 0
    assert set(store.split[first]) | set(store.split[second]) == {VALIDATION}
    np.testing.assert_array_equal(store.trees[first], store.trees[second])
    assert np.array_equal(store.labels[pairs.first] == store.labels[pairs.second], pairs.matched)
    assert set(pairs.fold) == {0}
    assert (pairs.first != pairs.second).all()


def test_who_is_listed_or_in_the_verification_set_is_left_out_by_that_reason(
    tmp_path, grow, prepare
):
    grow("tree", {**PEOPLE, "Émile_Zola": 3, "Gil": 3})
    listed = tmp_path / "listed.txt"
    listed.write_text("gil  # moved away\n\ntree/Ann/Ann_0002.png\n")
    asked = Hygiene(exclude=[str(listed)], shared="exclude")
    path = prepare("tree", hygiene=asked, people={"Emile Zola": "Emile Zola", "Some": "Some"}).path
    store = FaceStore.open(path)
    assert store.names == tuple(PEOPLE)
    assert store.notes["hygiene"] == {
        "rule": "exclude",
        "shared": ["Émile_Zola"],
        "left_out": {"Gil": LISTED, "Émile_Zola": SHARED},
        "without_names": [0, 0],
    }
    counts = {why: found["photos"] for why, found in store.notes["rejected"].items()}
    assert counts == {LISTED: 3, SHARED: 3, PHOTO_LISTED: 1}
    assert store.notes["photos"] == store.notes["kept"] + 7
    assert prepare("tree", hygiene=asked).path != path


def test_who_is_in_the_verification_set_is_not_trained_on_unless_allowed(tmp_path, grow, prepare):
    grow("tree", {**PEOPLE, "Emile_Zola": 3})
    with pytest.raises(InputError, match=r"1 people .*Emile_Zola.*hygiene.shared=exclude") as error:
        prepare(
            "tree",
            hygiene=Hygiene(exclude=[], shared="refuse"),
            people={"émile zola": "émile zola"},
        )
    assert "\n" not in str(error.value)
    assert not (tmp_path / "data").exists()
    store = FaceStore.open(prepare("tree", people={"émile zola": "émile zola"}).path)
    assert "Emile_Zola" in store.names
    assert store.notes["hygiene"]["shared"] == ["Emile_Zola"]


def test_the_same_picture_again_is_kept_once(grow, prepare, recipe):
    tree = grow("tree", PEOPLE)
    photo = cv2.imread(str(tree / "Ann" / "Ann_0002.png"), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(tree / "Ann" / "z.bmp"), photo)
    strict = replace(recipe, cleaning=replace(recipe.cleaning, max_same_bits=0))
    rejected = rejected_photos(prepare("tree", recipe=strict).path)
    assert ("tree/Ann/z.bmp", REPEATED) in rejected
    assert len(rejected) < 4  # crude as they are, the drawn faces mostly differ


KILLED = """
import os, sys, pickle
from tripletlab.faces.journal import Journal
from tripletlab.faces.preparation import prepare_faces
keep = Journal.add
finished = []
def add(self, number, entry):
    keep(self, number, entry)
    finished.append(number)
    if len(finished) == 3:
        with open(sys.argv[1], "w") as file:
            print(*finished, file=file)
        self._base.execute("BEGIN")
        keep(self, 1000, entry)  # half of a transaction
        os.kill(os.getpid(), 9)
Journal.add = add
with open(sys.argv[2], "rb") as file:
    prepare_faces(**pickle.load(file))
"""


def test_killed_work_goes_on_without_repeating_what_is_done(tmp_path, grow, recipe, monkeypatch):
    tree = grow("tree", PEOPLE)
    asked = {
        "photos": TrainingPhotos("photos", (Tree("tree", (tree,), cropped=False),)),
        "recipe": recipe,
        "hygiene": ALLOWING,
        "verification_people": {},
        "heldout": None,
        "settings": {},
        "fresh": False,
    }
    whole = prepare_faces(**asked, folder=tmp_path / "whole")
    there = {**asked, "folder": tmp_path / "data"}
    added, pickled = tmp_path / "added", tmp_path / "asked"
    pickled.write_bytes(pickle.dumps(there))
    # To the workers that outlive it for a while a pipe would be handed down.
    command = [sys.executable, "-c", KILLED, added, pickled]
    assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == -9
    finished = set(map(int, added.read_text().split()))
    assert len(finished) == 3
    again = []
    add = Journal.add
    monkeypatch.setattr(Journal, "add", lambda *a: (again.append(a[1]), add(*a)))
    made = prepare_faces(**there)
    assert sorted(again) == sorted(set(range(6)) - finished)
    assert made.path.read_bytes() == whole.path.read_bytes()
    assert list(made.path.parent.iterdir()) == [made.path]


def one_core_only():
    """Let this process use one core, for a while."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_the_same_on_one_core_and_on_all(grow, prepare):
    grow("tree", PEOPLE)
    cores = os.sched_getaffinity(0)
    try:
        one_core_only()
        alone = prepare("tree", folder="alone")
    finally:
        os.sched_setaffinity(0, cores)
    together = prepare("tree", folder="together")
    assert not together.reused
    assert FaceStore.open(alone.path).fingerprint == FaceStore.open(together.path).fingerprint


def test_what_is_there_is_used_again_unless_fresh(grow, prepare):
    grow("tree", PEOPLE)
    first = prepare("tree")
    inode = first.path.stat().st_ino
    again = prepare("tree")
    assert (again.path, again.reused) == (first.path, True)
    assert again.path.stat().st_ino == inode
    fresh = prepare("tree", fresh=True)
    assert (fresh.path, fresh.reused) == (first.path, False)
    assert fresh.path.stat().st_ino != inode


def test_whatever_goes_in_has_a_place_of_its_own(grow, prepare, recipe):
    tree = grow("tree", PEOPLE | {"Gil": 4, "Hal": 4})
    paths = [
        prepare("tree").path,
        prepare("tree*").path,
        prepare("tree", heldout=held(0.2)).path,
        prepare("tree", recipe=replace(recipe, max_photos=3)).path,
    ]
    (tree / "Ann" / "Ann_0004.png").unlink()
    paths.append(prepare("tree").path)
    os.utime(tree / "Ann" / "Ann_0003.png", ns=(0, 0))
    paths.append(prepare("tree").path)
    assert len(set(paths)) == len(paths)


def test_nobody_usable_is_one_line_with_the_counts(grow, prepare):
    tree = grow("tree", dict.fromkeys(("Ann", "Ben", "Cem", "Dan"), 2))
    for person in tree.iterdir():
        (person / "a.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=f"{TOO_FEW}: 8; {UNREADABLE}: 4.*lower faces") as error:
        prepare("tree")
    assert "\n" not in str(error.value)
    assert not list(tree.parent.glob("data/**/*.h5"))


def test_min_photos_at_its_least_is_not_to_be_lowered(grow, prepare, recipe):
    grow("tree", {"Ann": 2, "Ben": 2, "Cem": 2})
    with pytest.raises(InputError, match=r"3 people .* too few .*: give more people$"):
        prepare("tree", recipe=replace(recipe, min_photos=2))


@pytest.mark.parametrize(
    ("trees", "heldout", "hint"),
    [
        ({"tree": dict.fromkeys(("Ann", "Ben", "Cem"), 3)}, 0, r"3 people .* too few"),
        ({"tree": dict.fromkeys(("Ann", "Ben", "Cem", "Dan"), 2)}, 0, r"0 people .* too few"),
        ({name: {name: 3} for name in ("Ann", "Ben", "Cem", "Dan")}, 0, "alone in a folder"),
        (
            {"tree": PEOPLE},
            0.3,
            r"6 people .* too few .*, 4 to evaluate, and nobody twice\): .*, or evaluate on",
        ),
        (
            {name: {f"{name} {number}": 3 for number in range(2)} for name in "abcd"},
            0.3,
            r"8 people .* too few",
        ),
    ],
)
def test_too_few_people_are_an_error_before_any_photo_is_read(
    grow, prepare, trees, heldout, hint, monkeypatch
):
    monkeypatch.setattr("tripletlab.faces.preparation._complete", lambda *_: pytest.fail("read"))
    for name, people in trees.items():
        tree = grow(name, people)
    with pytest.raises(InputError, match=hint):
        prepare(*trees, heldout=held(heldout, folds=2) if heldout else None)
    assert not list(tree.parent.glob("data/**"))


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.5])
def test_split_gives_each_name_one_place(recipe, fraction):
    names = [f"n{number}" for number in range(100)]
    split = split_names(
        [*names, *names[:30]],
        [0] * 100 + [1] * 30,
        recipe,
        heldout=held(fraction) if fraction else None,
    )
    places = list(split.values())
    assert sorted(split) == sorted(names)
    assert places.count(HELDOUT) == round(100 * fraction)
    assert places.count(VALIDATION) == 30
    assert places.count(TRAIN) == 70 - round(100 * fraction)


def test_split_is_seeded_and_independent_of_the_order(recipe):
    names, trees = [f"n{number}" for number in range(40)], [0] * 40
    split = split_names(names, trees, recipe, heldout=held(0.2))
    shuffled = random.Random(0).sample(names, 40)
    assert split_names(shuffled, trees, recipe, heldout=held(0.2)) == split
    assert split_names(names, trees, replace(recipe, seed=2), heldout=held(0.2)) != split


def test_calibration_identities_are_of_the_training_ones_alone(recipe):
    names = [f"n{number}" for number in range(100)]
    trees = [0] * 100
    before = split_names(names, trees, recipe, heldout=held(0.2))
    calibrated = replace(recipe, calibration_fraction=0.1)
    split = split_names(names, trees, calibrated, heldout=held(0.2))
    assert list(split.values()).count(CALIBRATION) == 10
    assert all(split[name] == before[name] for name in names if split[name] != CALIBRATION)
    assert {before[name] for name in names if split[name] == CALIBRATION} == {TRAIN}
    few = split_names(names[:7], trees[:7], calibrated, heldout=None)
    assert CALIBRATION not in few.values()


def test_smallest_split_still_validates_with_two(recipe):
    small = replace(recipe, validation_fraction=0.01)
    split = split_names(list("abcd"), [0] * 4, small, heldout=None)
    assert sorted(split.values()) == [TRAIN, TRAIN, VALIDATION, VALIDATION]


@pytest.mark.parametrize("few", [1, 2, 6, 20])
def test_every_split_of_two_trees_can_be_validated(recipe, few):
    """A tree has no validation identity, or two at least, or one who is the only one there."""
    names = [f"a{number}" for number in range(30)] + [f"b{number}" for number in range(few)]
    trees = np.array([0] * 30 + [1] * few)
    for seed in range(40):
        seeded = replace(recipe, seed=seed, validation_fraction=0.15, validation_pairs=10)
        split = split_names(names, trees.tolist(), seeded, heldout=None)
        counts = [
            sum(
                split[name] == VALIDATION
                for name, own in zip(names, trees, strict=True)
                if own == t
            )
            for t in (0, 1)
        ]
        assert counts[0] >= 2
        assert counts[1] != 1
        Validation(drawn_store(names, trees, split, seeded))


def drawn_store(names, trees, split, recipe):
    """A store of five faces each, with the validation pairs that a preparation would draw."""
    arrays = {
        "offsets": np.arange(len(names) + 1) * 5,
        "trees": trees,
        "split": np.array([split[name] for name in names]),
    }
    return FaceStore(
        title="two trees",
        images=np.zeros((5 * len(names), 4, 4), np.uint8),
        names=tuple(names),
        display_names=tuple(names),
        tree_names=("a", "b"),
        sources=("",) * 5 * len(names),
        validation=validation_pairs(arrays, recipe),
        settings={},
        fingerprint="",
        notes={},
        **arrays,
    )


def test_another_opencv_or_other_code_makes_another_store(prepare, grow, monkeypatch, tmp_path):
    grow("people", PEOPLE)
    before = prepare("people")
    assert prepare("people") == replace(before, reused=True)
    with monkeypatch.context() as patched:
        patched.setattr(cv2, "__version__", "4.99")
        assert prepare("people").path != before.path
    changed = tmp_path / "room"
    shutil.copytree(Path(store_paths.__file__).parent, changed)
    with (changed / "cropping.py").open("a") as file:
        file.write("# another crop\n")
    monkeypatch.setattr(store_paths, "__file__", str(changed / "store_paths.py"))
    assert prepare("people").path != before.path


def test_people_known_by_numbers_alone_are_never_said_to_be_nobody_shared(
    tmp_path, grow, recipe, capsys
):
    grow("v/train", dict.fromkeys(("n000001", "n000002", "n000003", "n000004", "n000005"), 3))

    def prepare_vggface2():
        return prepare_faces(
            vggface2(path=str(tmp_path / "v")),
            recipe,
            hygiene=Hygiene(exclude=[], shared="refuse"),
            verification_people={"Zoe_Kravitz": "Zoe_Kravitz", "Bob": "Bob"},
            heldout=None,
            settings={},
            folder=tmp_path / "data",
            fresh=False,
        )

    for _ in range(2):  # a store that is there already warns as well
        made = prepare_vggface2()
        said = " ".join(capsys.readouterr().err.split())
        assert "warning: 5 people to train on are known by numbers alone" in said
        assert "identity_meta.csv: put it beside train/ and test/" in said
    store = FaceStore.open(made.path)
    assert store.display_names == ("",) * 5
    assert store.notes["hygiene"]["without_names"] == [5, 0]
    rows = [f"n00000{number}, {name}" for number, name in enumerate(("Al", "Bo", "Zoë Kravitz"), 1)]
    (tmp_path / "v" / "identity_meta.csv").write_text("\n".join(["Class_ID, Name", *rows]))
    with pytest.raises(InputError, match=r"1 people .*Zoë Kravitz"):
        prepare_vggface2()


def test_numbers_that_are_not_vggface2s_are_not_looked_for_in_its_list(grow, prepare, capsys):
    grow("named", dict.fromkeys(("Al", "Bo", "Cy", "Di", "Ed"), 3))
    prepare("named", people={"0": "", "1": ""})
    said = " ".join(capsys.readouterr().err.split())
    assert "warning: 2 people of the verification set are known by numbers alone" in said
    assert "VGGFace2" not in said


def test_photos_one_folder_deeper_are_said_to_be_there(grow, prepare, tmp_path):
    grow("tree/set", PEOPLE)
    with pytest.raises(
        InputError, match=r"tree: its sub-folders hold folders, .*did you mean .*tree/set\?"
    ):
        prepare("tree")
    assert not (tmp_path / "data").exists()


def test_two_spellings_of_a_person_are_said(grow, prepare, capsys):
    grow("tree", {**PEOPLE, "ann": 3})
    prepare("tree")
    assert "warning: taken for different people: Ann, ann" in capsys.readouterr().err


def test_a_folder_whose_name_is_no_utf_8_is_a_person_too(grow, prepare):
    tree = grow("tree", PEOPLE)
    os.rename(tree / "Ann", os.fsencode(tree) + b"/\xff\xe9 Ann")
    store = FaceStore.open(prepare("tree").path)
    assert "\\xff\\xe9 Ann" in store.names
    assert store.notes["kept"] == 24


def test_a_tree_whose_name_is_no_utf_8_is_prepared_as_any_other(grow, tmp_path):
    grow("tree", {**PEOPLE, "Gil": 4, "Hal": 4})
    strange = os.fsencode(tmp_path) + b"/caf\xe9"
    os.rename(tmp_path / "tree", strange)
    words = ["photos=folder", f"photos.detected=[{os.fsdecode(strange)}]", "verification=heldout"]
    words += ["verification.fraction=0.5", "faces.min_photos=2", f"data={tmp_path / 'data'}"]
    command = [sys.executable, "-m", "tripletlab", "prepare", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    store = FaceStore.open(next(tmp_path.glob("data/*/faces.h5")))
    assert store.tree_names == ("caf\\xe9",)
    assert {source.partition("/")[0] for source in store.sources} == {"caf\\xe9"}
