"""Trees of photos: what is in them, what they are called, and how they are said to be wrong."""

import os

import pytest

from tripletlab.errors import InputError, Unavailable
from tripletlab.photos.tree import (
    Tree,
    display_names,
    identity_folders,
    list_identities,
    photos_in,
    readable,
    source,
)


def fill(root, **people):
    for name, files in people.items():
        (root / name).mkdir(parents=True)
        for file in files:
            (root / name / file).touch()
    return root


def test_the_parts_of_a_tree_are_one(tmp_path):
    one = fill(tmp_path / "train", Ann=["2.jpg"], Bob=["1.jpg"])
    other = fill(tmp_path / "test", Ann=["1.jpg"], Cid=["1.jpg", ".hidden"])
    tree = Tree("both", (one, other), cropped=False)
    assert identity_folders(tree) == {
        "Ann": [one / "Ann", other / "Ann"],
        "Bob": [one / "Bob"],
        "Cid": [other / "Cid"],
    }
    assert list_identities(tree) == {
        "Ann": [one / "Ann" / "2.jpg", other / "Ann" / "1.jpg"],
        "Bob": [one / "Bob" / "1.jpg"],
        "Cid": [other / "Cid" / "1.jpg"],
    }


def test_a_tree_of_one_person(tmp_path):
    tree = Tree("a", (fill(tmp_path / "a", Ann=["1.jpg"]),), cropped=True)
    assert list(list_identities(tree)) == ["Ann"]
    assert display_names(tree, ["Ann"]) == {"Ann": "Ann"}


def test_people_without_photos_are_left_out_and_a_tree_without_any_is_an_error(tmp_path):
    root = fill(tmp_path / "a", Ann=["1.jpg"], Nobody=[])
    assert list(list_identities(Tree("a", (root,), cropped=False))) == ["Ann"]
    (root / "Ann" / "1.jpg").unlink()
    with pytest.raises(InputError, match="no photos"):
        list_identities(Tree("a", (root,), cropped=False))


@pytest.mark.parametrize(
    ("files", "says"), [([], "no folder in it"), (["1.jpg"], "did you mean its parent")]
)
def test_a_folder_without_folders_is_no_tree(files, says, tmp_path):
    fill(tmp_path, a=files)
    with pytest.raises(InputError, match=says):
        Tree("a", (tmp_path / "a",), cropped=False)
    with pytest.raises(InputError, match="no such folder"):
        Tree("a", (tmp_path / "b",), cropped=False)


@pytest.mark.skipif(os.getuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a").mkdir(mode=0)
    with pytest.raises(Unavailable, match="a: cannot be read"):
        photos_in([tmp_path / "a"])


def test_a_folder_that_went_away_is_named(tmp_path):
    with pytest.raises(Unavailable, match=r"gone: cannot be read \(No such file"):
        photos_in([tmp_path / "gone"])


def test_numbers_are_no_names_unless_a_list_has_them(tmp_path):
    root = fill(tmp_path / "vgg", n000001=["1.jpg"], n000002=["1.jpg"], Ann=["1.jpg"])
    tree = Tree("vgg", (root,), cropped=False, display_names={"n000002": "Bob"})
    folders = list(identity_folders(tree))
    assert display_names(tree, folders) == {"Ann": "Ann", "n000001": "", "n000002": "Bob"}


def test_a_photo_is_named_by_tree_person_and_file(tmp_path):
    assert source(tmp_path / "faces" / "Ann" / "1.jpg") == "faces/Ann/1.jpg"
    assert readable("フォト é") == "フォト é"
    assert readable(os.fsdecode(b"Zo\xeb")) == r"Zo\xeb"
