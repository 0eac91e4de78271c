import zlib

import numpy as np
import pytest
from scipy.io import loadmat

from tests.protocols import write_agedb
from tripletlab.errors import InputError
from tripletlab.photos.agedb import HEADER, agedb30, person, read_splits

PROTOCOL = "04_FINAL_protocol_30_years.mat"
ANN, BEN = ([f"{name}_0_{number}_3{number}_f" for number in range(4)] for name in ("Ann", "Ben"))
SPLITS = [
    [(ANN[0], ANN[1], 1), (BEN[0], ANN[2], -1)],
    [(BEN[1], BEN[2], 1), (BEN[3], ANN[3], -1), (BEN[2], ANN[0], -1)],
]


@pytest.fixture
def root(tmp_path):
    (tmp_path / "03_Protocol_Images").mkdir()
    for name in (*ANN, *BEN):
        (tmp_path / "03_Protocol_Images" / f"{name}.jpg").touch()
        (tmp_path / "03_Protocol_Images" / f"{name}.pts").touch()
    return tmp_path


def opened(root):
    return agedb30(path=str(root), pairs=PROTOCOL, photos=None, cropped=False)


@pytest.mark.parametrize("packed", [False, True])
def test_the_splits_are_the_folds(packed, root):
    write_agedb(root / PROTOCOL, SPLITS, do_compression=packed)
    oracle = loadmat(root / PROTOCOL)["splits"]  # by the indices of FaceX-Zoo
    assert oracle[1][0][0][0][0][0][1][0][0][0][0] == BEN[3]
    assert oracle[1][0][0][0][1][0].tolist() == [1, -1, -1]
    verification = opened(root)
    found = verification.read()
    names = np.array([file.stem for file in found.files])
    pairs = found.pairs
    sides = names[pairs.first], names[pairs.second], np.where(pairs.matched, 1, -1)
    assert list(zip(*sides, strict=True)) == [*SPLITS[0], *SPLITS[1]]
    assert pairs.fold.tolist() == [0, 0, 1, 1, 1]
    assert sorted(found.names) == ["Ann"] * 4 + ["Ben"] * 4
    assert verification.title == "AgeDB-30"


def test_whose_photo_it_is_by_both_kinds_of_names():
    assert person("Ann_0_12_35_f.jpg") == "Ann"
    assert person("10000_GlennClose_62_f.jpg") == "GlennClose"


MALFORMED = [
    ([[(ANN[0], ANN[1], 1), (ANN[0], BEN[1], -1)]], "fewer than two splits"),
    ([SPLITS[0], [(ANN[0], ANN[1], 2)]], "split 2 has no label of 1 or -1 for each pair"),
    ([SPLITS[0], [("../Ann", ANN[1], 1)]], r"\.\./Ann is no photo"),
]


@pytest.mark.parametrize(("splits", "hint"), MALFORMED)
def test_another_form_is_refused(splits, hint, root):
    write_agedb(root / PROTOCOL, splits)
    with pytest.raises(InputError, match=rf"{PROTOCOL}: not AgeDB's protocol .*{hint}"):
        opened(root)


def test_a_fold_with_one_kind_of_pairs_and_a_missing_photo_are_errors(root):
    write_agedb(root / PROTOCOL, [SPLITS[0], SPLITS[1][:1]])
    with pytest.raises(InputError, match="no mismatched pairs"):
        opened(root).read()
    (root / "03_Protocol_Images" / f"{ANN[3]}.jpg").unlink()
    write_agedb(root / PROTOCOL, SPLITS)
    with pytest.raises(InputError, match=rf"names {ANN[3]}\.jpg, which is not in"):
        opened(root).read()


def test_damaged_files_and_bombs_are_refused(root, monkeypatch):
    monkeypatch.setattr("tripletlab.photos.agedb.LARGEST", 1 << 16)
    path = root / PROTOCOL
    write_agedb(path, SPLITS, do_compression=True)
    whole = path.read_bytes()
    bomb = zlib.compress(bytes(1 << 17))
    packed = (15).to_bytes(4, "little") + len(bomb).to_bytes(4, "little") + bomb
    for data, hint in (
        (b"", "not AgeDB's"),
        (whole[: len(whole) // 2], "not AgeDB's"),
        (b"splits" * 100, "not AgeDB's"),
        (whole[:HEADER] + packed, "more than 65,536 bytes unpacked"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=hint) as error:
            read_splits(path)
        assert "\n" not in str(error.value)
