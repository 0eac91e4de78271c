import numpy as np
import pytest

from tests.protocols import two_lines
from tripletlab.errors import InputError
from tripletlab.photos.lfw_variants import lfw_variant, read_two_line_pairs
from tripletlab.photos.pair_photos import paired_photos, people_of


def photos(name, count):
    return [f"{name}_{number:04d}.jpg" for number in range(1, count + 1)]


ANN, BEN = photos("Ann_Lee", 8), photos("Ben", 8)
MATCHED = [(ANN[0], one, 1) for one in ANN[1:]] + [(BEN[0], one, 1) for one in BEN[1:]]
MISMATCHED = [(one, other, 0) for one, other in zip(ANN, BEN, strict=True)] + [
    (one, other, 0) for one, other in zip(ANN, BEN[1:], strict=False)
]
CPLFW = [*MATCHED[:10], *MISMATCHED[:10]]  # as it is: all matched pairs first
CALFW = [(*pair[:2], place + 1) for place, pair in enumerate(CPLFW[:10])] + CPLFW[10:]


@pytest.fixture
def place(tmp_path):
    """A set as it is unpacked: the photos, and the same ones aligned."""

    def make(pairs, folders=("images", "aligned images")):
        for folder in folders:
            (tmp_path / "set" / folder).mkdir(parents=True)
            for name in (*ANN, *BEN):
                (tmp_path / "set" / folder / name).touch()
        file = tmp_path / "set" / "pairs_CPLFW.txt"
        file.write_text(pairs if isinstance(pairs, str) else two_lines(pairs))
        return tmp_path / "set"

    return make


def opened(root, **settings):
    given = {"photos": None, "cropped": False, **settings}
    return lfw_variant(title="CPLFW", path=str(root), pairs="pairs_CPLFW.txt", **given)


@pytest.mark.parametrize("pairs", [CPLFW, CALFW])
def test_every_fold_has_its_tenth_of_each_kind_of_pair(pairs, place):
    read = read_two_line_pairs(place(pairs) / "pairs_CPLFW.txt")
    assert [(one.first, one.second) for one in read] == [pair[:2] for pair in pairs]
    assert [one.matched for one in read] == [True] * 10 + [False] * 10
    assert [one.fold for one in read] == [*range(10), *range(10)]


def test_labels_above_one_are_folds_whatever_their_order(place):
    labels = [2, 1, 1, 2, 3]
    pairs = [(*pair[:2], label) for pair, label in zip(MATCHED, labels, strict=False)]
    read = read_two_line_pairs(place([*pairs, *MISMATCHED[:6]]) / "pairs_CPLFW.txt")
    assert [one.fold for one in read] == [1, 0, 0, 1, 2, 0, 0, 1, 1, 2, 2]


def test_the_photos_the_people_and_the_pairs(place):
    root = place(CPLFW)
    verification = opened(root)
    found = verification.read()
    assert verification.title == "CPLFW"
    assert not verification.tree.cropped
    assert {file.parent for file in found.files} == {root / "images"}
    assert set(found.names) == set(found.display_names) == {"Ann_Lee", "Ben"}
    names = np.array([file.name for file in found.files])
    pairs = found.pairs
    again = zip(names[pairs.first], names[pairs.second], pairs.matched.astype(int), strict=True)
    assert list(again) == CPLFW
    aligned = opened(root, cropped=True)
    assert aligned.tree.cropped
    assert {file.parent.name for file in aligned.read().files} == {"aligned images"}


def test_photos_that_are_taken_whole_though_none_are_aligned_are_said(place, capsys):
    root = place(CPLFW)
    opened(root, cropped=True)
    assert "whole" not in capsys.readouterr().err
    for file in (root / "aligned images").iterdir():
        file.unlink()
    assert opened(root, cropped=True).read().files[0].parent == root / "images"
    said = "".join(capsys.readouterr().err.split())  # long paths are wrapped
    assert f"thosein{root}/imagesaretakenwhole,asverification.cropped=trueasks" in said


def test_the_folder_of_the_photos_is_searched_for_or_given(place):
    root = place(CPLFW, folders=["images/images", "more"])
    with pytest.raises(InputError, match=r"is in .*images/images and in .*more; give verif"):
        opened(root)
    assert opened(root, photos="more").read().files[0] == root / "more" / ANN[0]
    (root / "more" / ANN[0]).unlink()
    assert opened(root).read().files[0] == root / "images" / "images" / ANN[0]
    (root / "images" / "images" / ANN[0]).unlink()
    with pytest.raises(InputError, match=rf"first photo, {ANN[0]}, is nowhere below"):
        opened(root)


def test_a_missing_photo_is_an_error_and_no_pair_less(place):
    root = place(CPLFW)
    (root / "images" / BEN[4]).unlink()
    with pytest.raises(InputError, match=rf"pairs_CPLFW\.txt names {BEN[4]}, which is not in"):
        opened(root).read()


def test_labels_that_contradict_the_names_are_evaluated_with_a_warning(place, capsys):
    odd = [*CPLFW[:9], (ANN[1], BEN[2], 1), *CPLFW[10:]]
    verification = opened(place(odd))
    assert people_of(verification) == {"Ann_Lee": "Ann_Lee", "Ben": "Ben"}
    assert paired_photos(verification).pairs.matched.sum() == 10
    said = " ".join(capsys.readouterr().err.split())
    warning = f"1 pairs are labelled otherwise than their photos are named, such as {ANN[1]}"
    assert said.count(warning) == 1


def test_a_photo_paired_with_itself_is_evaluated_with_a_warning(place, capsys):
    odd = [*CPLFW[:9], (ANN[1], ANN[1], 1), *CPLFW[10:]]
    assert len(paired_photos(opened(place(odd))).pairs) == 20
    said = " ".join(capsys.readouterr().err.split())
    warning = "1 of 20 pairs are of a photo and itself, whose distance is 0, such as"
    assert said.endswith(f"{warning} {ANN[1]} and {ANN[1]}")


LINES = two_lines(CPLFW).splitlines()
MALFORMED = [
    ("", "0 matched and 0 mismatched pairs"),
    ("Ann_Lee_0001.jpg\n", "line 1: 'Ann_Lee_0001.jpg' should be a photo and a label"),
    ("\n".join([*LINES[:6], "Ann_Lee.jpg 1", *LINES[7:]]), "line 7: 'Ann_Lee.jpg 1' should"),
    ("\n".join([*LINES[:6], "../Ann_Lee_0001.jpg 1", *LINES[7:]]), "line 7"),
    ("\n".join([*LINES[:6], "Ann_Lee_0001.jpg -1", *LINES[7:]]), "line 7"),
    ("\n".join([*LINES[:6], "x" * 100_000 + " 1", *LINES[7:]]), "line 7"),
    ("\n".join(LINES[1:]), "line 19: the two photos of a pair have the labels 1 and 0"),
    ("\n".join(LINES[:-1]), "line 39: the last pair has only one photo"),
    ("\n".join(LINES[:-2]), "10 matched and 9 mismatched pairs are too few for 10 folds"),
    ("\n".join(LINES).replace(" 1", " 999"), "too few for 999 folds"),
]


@pytest.mark.parametrize(("text", "hint"), MALFORMED)
def test_a_malformed_list_names_its_line(text, hint, place):
    with pytest.raises(InputError, match=rf"pairs_CPLFW\.txt.*{hint}") as error:
        opened(place(text))
    assert len(str(error.value)) < 400


def test_a_fold_that_no_label_names_is_an_error(place):
    pairs = [(*pair[:2], 2) for pair in MATCHED[:4]]
    with pytest.raises(InputError, match="a fold has no matched, or no mismatched pairs"):
        opened(place([*pairs, *MISMATCHED[:4]])).read()


def test_byte_order_mark_empty_lines_and_blanks_mean_nothing(place):
    plain = read_two_line_pairs(place(CPLFW) / "pairs_CPLFW.txt")
    root = place("\ufeff" + two_lines(CPLFW).replace("\n", " \r\n\n"), folders=[])
    assert read_two_line_pairs(root / "pairs_CPLFW.txt") == plain


def test_a_set_without_its_list_names_it(place):
    root = place(CPLFW)
    with pytest.raises(InputError, match=r"did you mean .*set\?"):
        opened(root / "images")
