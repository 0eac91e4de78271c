from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.faces.people import PEOPLE, held
from tripletlab.errors import InputError
from tripletlab.faces.alignment import Aligned
from tripletlab.faces.cleaning import REPEATED
from tripletlab.faces.recipe import NO_FACE, TOO_FEW, UNREADABLE
from tripletlab.faces.store import (
    VALIDATION,
    FaceStore,
    rejected_photos,
)
from tripletlab.photos.hygiene import LISTED, PHOTO_LISTED, SHARED, Hygiene


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


def test_bad_photos_are_left_out_by_their_reasons(grow, prepare):
    tree = grow("tree", {**PEOPLE, "Few": 2})
    cv2.imwrite(str(tree / "Ann" / "b.png"), np.full((90, 90), 99, np.uint8))
    (tree / "Ann" / "a.jpg").write_bytes(b"")
    (tree / "Ben" / "a.jpg").write_text("no photo")
    whole = (tree / "Cem" / "Cem_0001.png").read_bytes()
    (tree / "Cem" / "z.png").write_bytes(whole[: len(whole) // 2])
    path = prepare("tree").path
    store = FaceStore.open(path)
    assert store.notes["photos"] == 6 * 4 + 2 + 4
    assert store.notes["people"] == {"found": 7, "too_few_faces": 1, "such_as": ["Few"]}
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


def test_the_numbers_add_up_where_a_photo_is_added_meanwhile(grow, prepare, monkeypatch):
    tree = grow("tree", PEOPLE)
    monkeypatch.setattr(
        "tripletlab.faces.preparation.check_enough", lambda *_: (tree / "Ann" / "z.png").touch()
    )
    notes = FaceStore.open(prepare("tree").path).notes
    assert notes["photos"] == notes["kept"] + notes["rejected"][UNREADABLE]["photos"] == 25


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


def test_lines_of_an_exclusion_list_without_effect_are_said(tmp_path, grow, prepare, capsys):
    grow("tree", PEOPLE)
    listed = tmp_path / "listed.txt"
    listed.write_text("fay\ntree/Ann/Ann_0002.png\ntree/Ann/Ann_0009.png\nGil\n")
    prepare("tree", hygiene=Hygiene(exclude=[str(listed)], shared="allow"))
    said = " ".join(capsys.readouterr().err.split())
    assert "warning: hygiene.exclude: 2 lines match no person and no photo, such as" in said
    assert "such as tree/Ann/Ann_0009.png:" in said
    listed.write_text("fay\ntree/Ann/Ann_0002.png\n")
    prepare("tree", hygiene=Hygiene(exclude=[str(listed)], shared="allow"))
    assert "no photo" not in capsys.readouterr().err


def test_a_store_notes_the_people_of_its_own_verification_set(grow, prepare):
    grow("tree", PEOPLE)
    for people in ({}, {"Ann": "Ann"}, {"Ann": "Ann", "Ben": "Ben"}, {"Zoe": "Zoe", "0": ""}):
        noted = FaceStore.open(prepare("tree", people=people).path).notes["hygiene"]
        assert noted["shared"] == sorted(people.keys() & PEOPLE.keys())
        assert noted["without_names"] == [0, int("0" in people)]
    strict = Hygiene(exclude=[], shared="refuse")
    assert FaceStore.open(prepare("tree", hygiene=strict).path).notes["hygiene"]["rule"] == "refuse"


def test_the_same_picture_again_is_kept_once(grow, prepare, recipe):
    tree = grow("tree", PEOPLE)
    photo = cv2.imread(str(tree / "Ann" / "Ann_0002.png"), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(tree / "Ann" / "z.bmp"), photo)
    strict = replace(recipe, cleaning=replace(recipe.cleaning, max_same_bits=0))
    rejected = rejected_photos(prepare("tree", recipe=strict).path)
    assert ("tree/Ann/z.bmp", REPEATED) in rejected
    assert len(rejected) < 4  # crude as they are, the drawn faces mostly differ


def test_a_border_with_an_aligner_is_refused(grow, prepare, recipe):
    grow("tree", PEOPLE)
    aligner = Aligned(
        lambda photo, box: None,
        {"left_eye": (0.3, 0.3), "right_eye": (0.7, 0.3)},
        transform="similarity",
    )
    with pytest.raises(InputError, match=r"faces\.border=0\.2 .*faces\.border=0 or faces/aligner"):
        prepare("tree", recipe=replace(recipe, border=0.2, aligner=aligner))
    assert FaceStore.open(prepare("tree", recipe=replace(recipe, border=0.2)).path).size == 32


def test_nobody_usable_is_one_line_with_the_counts(grow, prepare):
    tree = grow("tree", dict.fromkeys(("Ann", "Ben", "Cem", "Dan"), 2))
    for person in tree.iterdir():
        (person / "a.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=f"{TOO_FEW}: 8; {UNREADABLE}: 4.*lower faces") as error:
        prepare("tree")
    assert "\n" not in str(error.value)
    assert not list(tree.parent.glob("data/**/*.h5"))


def test_where_no_face_is_found_another_detector_is_advised(grow, prepare):
    tree = grow("tree", dict.fromkeys(("Ann", "Ben", "Cem", "Dan"), 3))
    for photo in tree.rglob("*.png"):
        cv2.imwrite(str(photo), np.full((90, 90), 99, np.uint8))
    with pytest.raises(InputError, match=rf"\({NO_FACE}: 12\); .* or try faces=yunet$"):
        prepare("tree")


def test_too_few_usable_people_are_an_error_with_reasons(grow, prepare):
    tree = grow("tree", dict.fromkeys(("Ann", "Ben", "Cem", "Dan"), 3))
    (tree / "Dan" / "Dan_0001.png").write_bytes(b"")
    says = rf"3 people with at least 3 usable faces \({TOO_FEW}: 2; {UNREADABLE}: 1\) are too few"
    with pytest.raises(InputError, match=says):
        prepare("tree")


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
