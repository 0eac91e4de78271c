import pickle

import numpy as np
import pytest

from tests.protocols import python2_pickle
from tripletlab.errors import InputError
from tripletlab.photos.packed_pairs import packed_pairs

PAIRS = 23  # no multiple of ten
PHOTOS = [f"photo {number}".encode() for number in range(2 * PAIRS)]
PHOTOS[6] = PHOTOS[0]  # a photo of two pairs: 0, which is matched, and 3, which is not
PHOTOS[8] = PHOTOS[1]  # and of 4, which is matched
MATCHED = [place % 2 == 0 for place in range(PAIRS)]


@pytest.fixture
def packed(tmp_path):
    def make(data, name="cfp_fp.bin", cropped=True):
        path = tmp_path / name
        path.write_bytes(data)
        return packed_pairs(folder=str(tmp_path / "photos"), path=str(path), cropped=cropped)

    return make


def dumped(photos=PHOTOS, matched=MATCHED):
    return pickle.dumps((list(photos), list(matched)), protocol=2)


FORMS = {
    "Python 2, bytes": python2_pickle(PHOTOS, MATCHED, arrays=False),
    "Python 2, arrays": python2_pickle(PHOTOS, MATCHED, arrays=True),
    "Python 3": dumped(),
    "lists": pickle.dumps([PHOTOS, [int(one) for one in MATCHED]]),
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
def test_pairs_are_consecutive_photos_in_ten_folds(data, packed):
    verification = packed(data)
    found = verification.read()
    contents = [file.read_bytes() for file in found.files]
    assert len(contents) == len(set(contents)) == 2 * PAIRS - 2
    pairs = found.pairs
    assert [contents[row] for row in pairs.first] == PHOTOS[::2]
    assert [contents[row] for row in pairs.second] == PHOTOS[1::2]
    assert pairs.matched.tolist() == MATCHED
    folds = [len(part) for part in np.array_split(np.arange(PAIRS), 10)]
    assert pairs.fold.tolist() == [k for k, size in enumerate(folds) for _ in range(size)]
    assert verification.title == "cfp_fp.bin"
    assert verification.tree.cropped


def test_matched_pairs_make_people_of_photos(packed):
    found = packed(dumped()).read()
    assert not found.people_known
    assert set(found.display_names) == {""}
    pairs, names = found.pairs, np.array(found.names)
    same = names[pairs.first] == names[pairs.second]
    np.testing.assert_array_equal(same, pairs.matched)
    together = {names[row] for pair in (0, 4) for row in (pairs.first[pair], pairs.second[pair])}
    assert len(together) == 1
    assert len(set(names)) == len(names) - pairs.matched.sum()


def test_a_tenth_of_one_kind_of_pairs_has_the_kinds_dealt_apart(packed, capsys):
    matched = [True] * 12 + [False] * 11
    fold = packed(dumped(matched=matched)).read().pairs.fold
    assert "each fold gets a tenth of the matched" in " ".join(capsys.readouterr().err.split())
    assert fold[:12].tolist() == [0, 0, 1, 1, *range(2, 10)]
    assert fold[12:].tolist() == [0, 0, *range(1, 10)]


def test_photos_are_unpacked_once_and_whole(packed, tmp_path, monkeypatch):
    first = packed(dumped()).read().files
    times = [file.stat().st_mtime_ns for file in first]
    again = packed(FORMS["Python 2, arrays"]).read().files
    assert (first, times) == (again, [file.stat().st_mtime_ns for file in again])
    other = packed(dumped([b"another", *PHOTOS[1:]]))
    assert other.read().files[0] != first[0]
    (folder,) = {file.parents[1] for file in first}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(InputError, match="No space left on device"):
        packed_pairs(folder=str(tmp_path / "p"), path=str(tmp_path / "cfp_fp.bin"), cropped=True)
    assert not list((tmp_path / "p").rglob("*"))
    assert folder.is_dir()


def test_a_photo_that_is_missing_or_cut_off_is_unpacked_again(packed):
    files = packed(dumped()).read().files
    contents = [file.read_bytes() for file in files]
    files[0].unlink()
    files[1].write_bytes(b"")
    assert [file.read_bytes() for file in packed(dumped()).read().files] == contents


MALFORMED = [
    (pickle.dumps(PHOTOS), "not a list of photos and a list of truth values"),
    (pickle.dumps((PHOTOS, True)), "not a list of photos and a list of truth values"),
    (dumped(PHOTOS[:-1]), "45 photos for 23 pairs"),
    (dumped(matched=MATCHED[:-1]), "46 photos for 22 pairs"),
    (dumped([*PHOTOS[:3], "text", *PHOTOS[4:]]), "photo 4 is not encoded bytes"),
    (pickle.dumps(([*PHOTOS[:3], b"", *PHOTOS[4:]], MATCHED)), "photo 4 is not encoded bytes"),
    (dumped(matched=[*MATCHED[:-1], 2]), "pair 23 is not marked as matched or mismatched"),
    (dumped(matched=[*MATCHED[:-1], None]), "pair 23 is not marked"),
    (dumped(PHOTOS[:20], MATCHED[:10]), "5 matched and 5 mismatched pairs are too few"),
    (dumped([], []), "0 matched and 0 mismatched pairs"),
    (b"\xff\xd8\xff\xe0 a photo", "not a pickle that can be read"),
]


@pytest.mark.parametrize(("data", "hint"), MALFORMED)
def test_another_content_is_refused_and_nothing_unpacked(data, hint, packed, tmp_path):
    with pytest.raises(InputError, match=rf"cfp_fp\.bin: {hint}") as error:
        packed(data)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "photos").exists()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"lfw\.bin: no such file; give a packed set"):
        packed_pairs(folder=str(tmp_path), path=str(tmp_path / "lfw.bin"), cropped=True)
