"""CALFW and CPLFW, whose lists have two lines for each pair: target of conf/verification/.

Both keep LFW's protocol of ten folds of 300 matched and 300 mismatched pairs: CALFW across ages
(Zheng et al., arXiv:1708.08197, 2017), CPLFW across poses (Zheng and Deng, BUPT 18-01, 2018). A
line is a photo's file name, a blank and a label, which the two lines of a pair share: 0 for
mismatched pairs; for matched ones 1 in CPLFW and the number of the fold in CALFW. The list does
not say which fold a mismatched pair is in: as in FaceX-Zoo (JDAI-CV, test_protocol/lfw/
pairs_parser.py), they are dealt to the folds in their order, and so are CPLFW's matched ones.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tripletlab.errors import InputError, brief
from tripletlab.photos.folds import folds_of_each_kind, require_enough
from tripletlab.photos.listed_pairs import ListedPair, PairList, listed_photos
from tripletlab.photos.sources import VerificationPhotos, pairs_file
from tripletlab.system.paths import absolute

FOLDS = 10
LINE = re.compile(r"(?P<photo>[^/]+_[0-9]{1,9}\.\w+)\s+(?P<label>[0-9]{1,3})")


def lfw_variant(
    *, title: str, path: str, pairs: str, photos: str | None, cropped: bool
) -> VerificationPhotos:
    """A set with a list of two lines a pair, and photos named as LFW's in one folder beside it."""
    file = pairs_file(absolute(path), pairs)
    listed = PairList(file, read_two_line_pairs(file), person)
    return listed_photos(listed, title=title, photos=photos, cropped=cropped)


def person(photo: str) -> str:
    """Whose photo it is by its file name, Ann_Lee_0001.jpg."""
    return photo.rpartition("_")[0]


def read_two_line_pairs(path: Path) -> list[ListedPair]:
    """The pairs of such a list; empty lines mean nothing. InputError names the line."""
    lines = _lines(path)
    pairs = list(zip(lines[::2], lines[1::2], strict=False))
    for (number, _, label), (_, _, other) in pairs:
        if label != other:
            raise InputError(
                f"{path}, line {number}: the two photos of a pair have the labels {label} and"
                f" {other}; they need the same, so a line may be missing before"
            )
    if len(lines) % 2:
        raise InputError(f"{path}, line {lines[-1][0]}: the last pair has only one photo")
    fold = _folds([label for (_, _, label), _ in pairs], path)
    return [
        ListedPair(one, other, label > 0, number)
        for ((_, one, label), (_, other, _)), number in zip(pairs, fold, strict=True)
    ]


def _lines(path: Path) -> list[tuple[int, str, int]]:
    """The number of each line, its photo and its label."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a list of pairs ({brief(error)})") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if (match := LINE.fullmatch(line.strip())) is None:
            raise InputError(
                f"{path}, line {number}: {brief(line)!r} should be a photo and a label, such as"
                " Ann_Lee_0001.jpg 1"
            )
        found.append((number, match["photo"], int(match["label"])))
    return found


def _folds(labels: Sequence[int], path: Path) -> list[int]:
    """The fold of each pair; a label above 1 says that labels are numbers of folds."""
    number = np.array(labels, np.int64)
    matched, highest = number > 0, int(number.max(initial=0))
    folds = highest if highest > 1 else FOLDS
    require_enough(matched, path, folds=folds)
    fold = folds_of_each_kind(matched, folds=folds)
    if highest > 1:
        fold[matched] = number[matched] - 1
    return list(fold.tolist())
