import unicodedata

import pytest

from tripletlab.errors import InputError
from tripletlab.photos.pair_photos import find_pair_photos, paired_photos
from tripletlab.photos.pairs import NamedPair, PhotoOf
from tripletlab.photos.sources import VerificationPhotos
from tripletlab.photos.tree import Tree

NAMED = [NamedPair(PhotoOf("Ann", 1), PhotoOf("Ann", 3), 0)]


@pytest.fixture
def folder(tmp_path):
    """Two people with three photos each, which are empty."""
    for name in ("Ann", "Ben"):
        (tmp_path / "lfw" / name).mkdir(parents=True)
        for number in (1, 2, 3):
            (tmp_path / "lfw" / name / f"{name}_{number:04d}.jpg").touch()
    return tmp_path / "lfw"


def found(folder, named=NAMED, map_people=()):
    tree = Tree("lfw", (folder,), cropped=False)
    pairs = (folder.parent / "pairs.txt",)
    photos, on_map = find_pair_photos(VerificationPhotos("LFW", tree, pairs, map_people), named)
    names = {photo: str(path.relative_to(folder)) for photo, path in photos.items()}
    return names, on_map


def test_photos_of_the_pairs_and_of_the_map_are_found_by_their_numbers(folder):
    photos, on_map = found(folder, map_people=("Ben",))
    ben = [PhotoOf("Ben", number) for number in (1, 2, 3)]
    assert photos == {
        PhotoOf("Ann", 1): "Ann/Ann_0001.jpg",
        PhotoOf("Ann", 3): "Ann/Ann_0003.jpg",
        **{photo: f"Ben/Ben_000{photo.number}.jpg" for photo in ben},
    }
    assert on_map == ben


def test_a_missing_photo_is_an_error_that_names_it(folder):
    (folder / "Ann" / "Ann_0003.jpg").unlink()
    with pytest.raises(InputError, match=r"pairs\.txt names photo 3 of Ann, .*lfw$"):
        found(folder)


def test_a_missing_photo_of_several_files_of_pairs_is_an_error_that_names_its_file(folder):
    files = [folder.parent / name for name in ("train.txt", "test.txt")]
    for file, number in zip(files, (3, 9), strict=True):
        file.write_text(f"1\nAnn\t1\t{number}\nAnn\t1\tBen\t2\n")
    tree = Tree("lfw", (folder,), cropped=False)
    with pytest.raises(InputError, match=r"test\.txt names photo 9 of Ann, which is not in"):
        paired_photos(VerificationPhotos("LFW", tree, tuple(files), ()))


@pytest.mark.parametrize(("fourth", "expected"), [("Dan", False), ("Ben", True)])
def test_people_in_two_folds_are_reported(folder, fourth, expected, capsys):
    for name in ("Cat", "Dan"):
        (folder / name).mkdir()
        for number in (1, 2):
            (folder / name / f"{name}_{number:04d}.jpg").touch()
    file = folder.parent / "pairs.txt"
    file.write_text(f"2\t1\nAnn\t1\t2\nAnn\t1\tBen\t1\nCat\t1\t2\nCat\t1\t{fourth}\t2\n")
    paired_photos(VerificationPhotos("LFW", Tree("lfw", (folder,), cropped=False), (file,), ()))
    said = " ".join(capsys.readouterr().err.split())
    assert ("1 of 3 people are in more than one fold, such as Ben" in said) == expected


@pytest.mark.parametrize("again", ["Ann\t1\t2", "Ann\t2\t1"])
def test_a_pair_that_is_listed_again_is_evaluated_with_a_warning(folder, again, capsys):
    file = folder.parent / "pairs.txt"
    file.write_text(f"2\t1\nAnn\t1\t2\nAnn\t1\tBen\t2\n{again}\nBen\t3\tAnn\t1\n")
    tree = Tree("lfw", (folder,), cropped=False)
    assert len(paired_photos(VerificationPhotos("LFW", tree, (file,), ())).pairs) == 4
    said = " ".join(capsys.readouterr().err.split())
    names = sorted(["Ann_0001.jpg", "Ann_0002.jpg"], reverse=again.endswith("1"))
    assert f"warning: {file}: 1 of 4 pairs repeat an earlier pair" in said
    assert said.endswith(f"such as {names[0]} and {names[1]}")


def test_the_exact_name_goes_before_others_that_end_in_the_number(folder):
    for name in ("Zoe_0001.jpg", "edited 0003.jpg", "IMG_20230001.jpg", "Ann_0003 copy 3.jpg"):
        (folder / "Ann" / name).touch()
    assert list(found(folder)[0].values()) == ["Ann/Ann_0001.jpg", "Ann/Ann_0003.jpg"]


def test_a_name_of_another_kind_is_taken_where_it_is_the_only_one(folder):
    (folder / "Ann" / "Ann_0003.jpg").rename(folder / "Ann" / "IMG-3.png")
    assert found(folder)[0][PhotoOf("Ann", 3)] == "Ann/IMG-3.png"


def test_a_longer_number_is_another_number(folder):
    (folder / "Ann" / "Ann_0003.jpg").rename(folder / "Ann" / "IMG_20230003.jpg")
    with pytest.raises(InputError, match="photo 3 of Ann, which is not in"):
        found(folder)


@pytest.mark.parametrize("names", [("Ann_0003.jpg", "Ann_0003.png"), ("a 3.png", "b 0003.png")])
def test_two_files_for_one_photo_are_an_error_that_names_both(folder, names):
    (folder / "Ann" / "Ann_0003.jpg").unlink()
    for name in names:
        (folder / "Ann" / name).touch()
    with pytest.raises(InputError, match=f"can be {names[0]}, {names[1]}"):
        found(folder)


@pytest.mark.parametrize(
    ("there", "written"),
    [
        ("Ann", "ann"),
        (unicodedata.normalize("NFD", "Zoë"), unicodedata.normalize("NFC", "Zoë")),
        ("Zoe_Kravitz", "Zoë Kravitz"),
    ],
)
def test_a_name_in_another_spelling_is_pointed_out(folder, there, written):
    (folder / "Ann").rename(folder / there)
    pair = NamedPair(PhotoOf(written, 1), PhotoOf(written, 2), 0)
    with pytest.raises(InputError, match=rf"of {written}, .*\(did you mean {there}\?\)$"):
        found(folder, [pair])


def test_another_name_is_no_spelling(folder):
    with pytest.raises(InputError, match=r"photo 1 of Anna, .*lfw$"):
        found(folder, [NamedPair(PhotoOf("Anna", 1), PhotoOf("Ben", 2), 0)])


def test_photos_one_folder_deeper_are_pointed_out(folder):
    inner = folder / "inner"
    inner.mkdir()
    for person in ("Ann", "Ben"):
        (folder / person).rename(inner / person)
    with pytest.raises(InputError, match=r"lfw: its sub-folders hold folders, .*from .*/inner"):
        found(folder)
