import os
from pathlib import Path

import pytest

from tripletlab.errors import InputError
from tripletlab.photos.sources import any_pairs, folder, lfw, lfw_people, vggface2
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


def test_a_folder_that_is_given_twice_is_refused(tree):
    one = tree("x/faces", Ann=["1.jpg"])
    with pytest.raises(InputError, match=rf"{one} is given twice: leave out one"):
        folder(detected=[str(one)], cropped=[f"{one}/"])


def test_folders_of_one_name_are_refused(tree, tmp_path):
    one, other = tree("x/faces", Ann=["1.jpg"]), tree("y/faces", Ann=["1.jpg"])
    with pytest.raises(
        InputError, match=rf"{one} and {other} have the same name, faces, .* rename"
    ):
        folder(detected=[str(one)], cropped=[str(other)])
    other = other.rename(tmp_path / "y" / "tight")
    photos = folder(detected=[str(one)], cropped=[str(other)])
    assert [tree.name for tree in photos.trees] == ["faces", "tight"]
    assert [tree.cropped for tree in photos.trees] == [False, True]
    assert photos.title == "photos: faces + tight"


def test_vggface2_merges_train_and_test(tree):
    tree("v/train", n000001=["1.jpg"])
    root = tree("v/test", n000009=["1.jpg"]).parent
    photos = vggface2(path=str(root))
    assert list(list_identities(photos.trees[0])) == ["n000001", "n000009"]


def test_vggface2_knows_the_names_of_its_numbers(tree):
    root = tree("v/train", n000001=["1.jpg"], n000002=["1.jpg"]).parent
    (root / "identity_meta.csv").write_text(
        'Class_ID, Name, Sample_Num, Flag, Gender\nn000001, "14th_Dalai_Lama", 424, 0, m\n'
        'n000002, "O\'Neal, A.", 9, 1, f\nhalf a line\n'
    )
    called = vggface2(path=str(root)).trees[0].display_names
    assert called == {"n000001": "14th_Dalai_Lama", "n000002": "O'Neal, A."}


def test_lfw_can_be_learned_from(tree, tmp_path, monkeypatch):
    root = tree("lfw_home/lfw_funneled", Ann=["Ann_0001.jpg"]).parent
    assert lfw_people(path=str(root), download=False).trees[0].name == "lfw_funneled"
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    assert lfw_people(path=None, download=False).trees[0].folders == (root / "lfw_funneled",)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match=r"photos\.download=true"):
        lfw_people(path=None, download=False)


def test_lfw_is_not_fetched_into_a_folder_that_is_given(tree, monkeypatch):
    monkeypatch.setattr("tripletlab.photos.sources._download_lfw", lambda _: pytest.fail("fetched"))
    root = tree("mine/lfw", Ann=["Ann_0001.jpg"]).parent
    for path in (root, root / "empty"):
        with pytest.raises(InputError, match=r"photos\.download=true: .*; leave out one"):
            lfw_people(path=str(path), download=True)


def test_any_set_with_pairs_beside_its_people(tree):
    root = tree("poses", Ann=["Ann_0001.jpg", "Ann_0002.jpg"])
    with pytest.raises(InputError, match=r"frontal.txt: no such file"):
        any_pairs(path=str(root), pairs=["frontal.txt"], cropped=True)
    (root / "frontal.txt").write_text("1\t1\nAnn\t1\t2\n")
    found = any_pairs(path=str(root), pairs=["frontal.txt"], cropped=True)
    assert found.title == "poses (frontal)"  # evaluations on other pairs of these photos stay
    assert found.tree.cropped
    assert found.pairs == (root / "frontal.txt",)


def test_lfwcrop_is_found_with_and_without_its_inner_folder(tree, tmp_path):
    root = tree("l/lfw", Ann=["Ann_0001.jpg"]).parent
    (root / "pairs.txt").touch()
    (tmp_path / "crop" / "faces").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no \.pgm files"):
        lfw(path=str(root), pairs=["pairs.txt"], lfwcrop=str(tmp_path / "crop"))
    (tmp_path / "crop" / "faces" / "Ann_0001.pgm").touch()
    for given in ("crop", "crop/faces"):
        photos = lfw(path=str(root), pairs=["pairs.txt"], lfwcrop=str(tmp_path / given))
        assert photos.instead == tmp_path / "crop" / "faces"


def test_lfw_takes_the_people_with_twenty_photos(tree):
    many = [f"Ann_{number:04d}.jpg" for number in range(1, 21)]
    root = tree("l/lfw_funneled", Ann=many, Bob=["Bob_0001.jpg"]).parent
    (root / "pairs.txt").touch()
    verification = lfw(path=str(root), pairs=["pairs.txt"], lfwcrop=None)
    assert verification.title == "LFW"
    for name in ("pairsDevTrain.txt", "pairsDevTest.txt"):
        (root / name).touch()
    view_1 = lfw(path=str(root), pairs=["pairsDevTrain.txt", "pairsDevTest.txt"], lfwcrop=None)
    assert view_1.title == "LFW (pairsDevTrain, pairsDevTest)"
    assert verification.map_people == ("Ann",)
    (root / "umap_people.txt").write_text("Bob\n")
    assert lfw(path=str(root), pairs=["pairs.txt"], lfwcrop=None).map_people == ("Bob",)


def test_people_for_the_map_are_listed_one_a_line(tree):
    root = tree("l/lfw", **{"Ann Lee": ["Ann_0001.jpg"], "Bob": ["Bob_0001.jpg"]}).parent
    (root / "pairs.txt").touch()
    (root / "umap_people.txt").write_text("Ann Lee \n\nBob\n")
    assert lfw(path=str(root), pairs=["pairs.txt"], lfwcrop=None).map_people == ("Ann Lee", "Bob")
    (root / "umap_people.txt").write_text("Bob\nAnn\n")
    with pytest.raises(InputError, match=rf"umap_people.txt: Ann is no folder in {root}/lfw; "):
        lfw(path=str(root), pairs=["pairs.txt"], lfwcrop=None)


def test_what_is_missing_is_named(tree, tmp_path):
    (tmp_path / "empty").mkdir()
    for give, hint in [
        (lambda: folder(detected=[], cropped=[]), "photos.detected"),
        (lambda: folder(detected=[str(tmp_path / "no")], cropped=[]), "no such folder"),
        (lambda: folder(detected=[str(tmp_path / "empty")], cropped=[]), "no folder in it"),
        (lambda: lfw(path=str(tmp_path / "empty"), pairs=["pairs.txt"], lfwcrop=None), "pairs.txt"),
    ]:
        with pytest.raises(InputError, match=hint):
            give()
    hollow = tree("hollow", Ann=[])
    with pytest.raises(InputError, match="no photos"):
        list_identities(Tree("hollow", (hollow,), cropped=False))


def test_the_folder_of_a_single_person_points_to_its_parent(tree):
    root = tree("people", Ann=["1.jpg"])
    with pytest.raises(InputError, match=rf"did you mean its parent, {root}\?"):
        folder(detected=[str(root / "Ann")], cropped=[])


def test_a_folder_that_cannot_be_read_is_a_line(tree, monkeypatch):
    root = tree("people", Ann=["1.jpg"])

    def refused(path):
        raise PermissionError(13, "Permission denied")

    photos = Tree("people", (root,), cropped=False)
    monkeypatch.setattr("pathlib.Path.iterdir", refused)
    with pytest.raises(InputError, match=r"people: cannot be read \(Permission denied\)"):
        list_identities(photos)


def test_pairs_one_folder_higher_or_deeper_are_pointed_out(tree, tmp_path):
    people = tree("set/people", Ann=["Ann_0001.jpg"])
    (people.parent / "pairs.txt").touch()
    with pytest.raises(InputError, match=rf"\(did you mean {people.parent}\?\)$"):
        any_pairs(path=str(people), pairs=["pairs.txt"], cropped=False)
    root = tree("outer/lfw/lfw_funneled", Ann=["Ann_0001.jpg"]).parent
    (root / "pairs.txt").touch()
    with pytest.raises(InputError, match=rf"outer/pairs\.txt: .*\(did you mean {root}\?\)$"):
        lfw(path=str(tmp_path / "outer"), pairs=["pairs.txt"], lfwcrop=None)
    with pytest.raises(InputError, match=rf"\(did you mean {root}\?\)"):
        lfw(path=str(root / "lfw_funneled"), pairs=["pairs.txt"], lfwcrop=None)


def test_a_list_for_the_map_that_is_no_utf_8_is_one_line(tree):
    root = tree("l/lfw", Ann=["Ann_0001.jpg"]).parent
    (root / "pairs.txt").touch()
    (root / "umap_people.txt").write_bytes("Zoë\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"umap_people\.txt: cannot be read") as error:
        lfw(path=str(root), pairs=["pairs.txt"], lfwcrop=None)
    assert "\n" not in str(error.value)


def test_a_folder_whose_name_is_no_utf_8_has_a_title_that_can_be_written(tree):
    root = tree("people", Ann=["Ann_0001.jpg"])
    strange = os.fsdecode(os.fsencode(root.parent) + b"/caf\xe9")
    os.rename(root, strange)
    photos = folder(detected=[strange], cropped=[])
    assert photos.title == "photos: caf\\xe9"
    (Path(strange) / "pairs.txt").touch()
    found = any_pairs(path=strange, pairs=["pairs.txt"], cropped=False)
    assert (found.title, found.tree.name) == ("caf\\xe9", "caf\\xe9")
