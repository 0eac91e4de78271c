import os
import subprocess
import sys

import pytest

from tests.faces.people import PEOPLE
from tripletlab.errors import InputError
from tripletlab.faces.identities import find_identities
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.store import (
    FaceStore,
)
from tripletlab.photos.hygiene import Hygiene
from tripletlab.photos.sources import TrainingPhotos, vggface2
from tripletlab.photos.tree import Tree


@pytest.mark.parametrize(
    ("loose", "empty", "says"),
    [
        ((), (), None),
        (("a.png",), (), "passed over: 1 file beside the people's folders, such as tree/a.png"),
        ((), ("Zoe",), "passed over: 1 person's folder without photos, such as tree/Zoe"),
        (
            ("b.png", "a.png", ".hidden"),
            ("Yan", "Zoe"),
            "passed over: 2 files beside the people's folders, such as tree/a.png;"
            " 2 people's folders without photos, such as tree/Yan",
        ),
    ],
)
def test_files_that_are_nobodys_and_people_without_photos_are_counted(
    tmp_path, grow, capsys, loose, empty, says
):
    tree = grow("tree", {"Ann": 1, "Bob": 1})
    for name in loose:
        (tree / name).touch()
    for name in empty:
        (tree / name).mkdir()
        (tree / name / ".hidden").touch()
    identities, _ = find_identities(TrainingPhotos("photos", (Tree("tree", (tree,), False),)))
    assert [one.name for one in identities] == ["Ann", "Bob"]
    said = " ".join(capsys.readouterr().err.split())
    assert said == (says or "")


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


def test_the_same_number_in_two_sets_is_said_and_is_no_shared_person(grow, prepare, capsys):
    grow("one", {**PEOPLE, "001": 3, "002": 3})
    made = prepare(
        "one",
        hygiene=Hygiene(exclude=[], shared="refuse"),
        people={"001": "", "003": "", "Zoe": "Zoe"},
    )
    said = " ".join(capsys.readouterr().err.split())
    assert "2 people to train on and 2 people of the verification set are known by numbers" in said
    assert "not checkable; 1 numbers, such as 001, are in both" in said
    assert "several folders" not in said
    store = FaceStore.open(made.path)
    assert "001" in store.names
    assert store.notes["hygiene"]["shared"] == []
    grow("two", {"002": 3, "003": 3, "Ann": 3})
    prepare("one", "two")
    said = " ".join(capsys.readouterr().err.split())
    assert "1 people known by numbers alone, such as 002, are in several folders of photos" in said
    assert "rename the folders of one set" in said


def test_photos_one_folder_deeper_are_said_to_be_there(grow, prepare, tmp_path):
    grow("tree/set", PEOPLE)
    with pytest.raises(
        InputError, match=r"tree: its sub-folders hold folders, .*did you mean .*tree/set\?"
    ):
        prepare("tree")
    assert not (tmp_path / "data").exists()


def test_two_spellings_of_a_person_are_said(grow, prepare, capsys):
    grow("tree", {**PEOPLE, "ann": 3, "BEN": 3})
    prepare("tree")
    said = " ".join(capsys.readouterr().err.split())
    assert "warning: taken for different people: Ann, ann; BEN, Ben: give folders of one" in said


def test_a_folder_of_photos_under_two_names_is_said(grow, capsys):
    tree = grow("tree", {"Ann": 1, "Bob": 1})
    (tree / "Annie").symlink_to("Ann")
    find_identities(TrainingPhotos("photos", (Tree("tree", (tree,), False),)))
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("warning: Ann and Annie are the same folder, by a link, and taken for")
    assert "Bob" not in said


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
