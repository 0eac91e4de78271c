import pytest

from tripletlab.errors import InputError
from tripletlab.photos.sources import folder, lfw, vggface2
from tripletlab.photos.tree import Tree, list_identities


@pytest.fixture
def tree(tmp_path):
    """Make a folder of people with photos that are named and empty."""

    def make(name, **people):
        for person, photos in people.items():
            (tmp_path / name / person).mkdir(parents=True)
            for photo in photos:
                (tmp_path / name / person / photo).touch()
        return tmp_path / name

    return make


def test_identities_in_order_without_what_is_hidden(tree):
    root = tree("a", Bob=["2.jpg", "1.jpg", ".hidden"], Ann=["1.jpg"], Nobody=[])
    (root / ".git").mkdir()
    (root / "notes.txt").touch()
    found = list_identities(Tree("a", (root,), cropped=False))
    assert {name: [p.name for p in paths] for name, paths in found.items()} == {
        "Ann": ["1.jpg"],
        "Bob": ["1.jpg", "2.jpg"],
    }
    assert list(found) == ["Ann", "Bob"]


def test_folders_of_one_name_are_told_apart(tree, tmp_path):
    one, other = tree("x/faces", Ann=["1.jpg"]), tree("y/faces", Ann=["1.jpg"])
    photos = folder(detected=[str(one)], cropped=[str(other)])
    assert [tree.name for tree in photos.trees] == ["faces", "faces-2"]
    assert [tree.cropped for tree in photos.trees] == [False, True]
    assert photos.title == "photos: faces + faces-2"


def test_vggface2_merges_train_and_test(tree):
    tree("v/train", n000001=["1.jpg"])
    root = tree("v/test", n000009=["1.jpg"]).parent
    photos = vggface2(path=str(root))
    assert list(list_identities(photos.trees[0])) == ["n000001", "n000009"]


def test_lfw_takes_the_people_with_twenty_photos(tree):
    many = [f"Ann_{number:04d}.jpg" for number in range(1, 21)]
    root = tree("l/lfw_funneled", Ann=many, Bob=["Bob_0001.jpg"]).parent
    (root / "pairs.txt").touch()
    verification = lfw(path=str(root))
    assert verification.title == "LFW"
    assert verification.map_people == ("Ann",)
    (root / "umap_people.txt").write_text("Bob\n")
    assert lfw(path=str(root)).map_people == ("Bob",)


def test_what_is_missing_is_named(tree, tmp_path):
    (tmp_path / "empty").mkdir()
    for give, hint in [
        (lambda: folder(detected=[], cropped=[]), "photos.detected"),
        (lambda: folder(detected=[str(tmp_path / "no")], cropped=[]), "no such folder"),
        (lambda: folder(detected=[str(tmp_path / "empty")], cropped=[]), "no folder in it"),
        (lambda: lfw(path=str(tmp_path / "empty")), "pairs.txt"),
    ]:
        with pytest.raises(InputError, match=hint):
            give()
    hollow = tree("hollow", Ann=[])
    with pytest.raises(InputError, match="no photos"):
        list_identities(Tree("hollow", (hollow,), cropped=False))
