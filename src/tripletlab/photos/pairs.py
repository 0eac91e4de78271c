"""Pairs of photos, matched and mismatched, in folds: read as LFW writes them, or drawn."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError, brief

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows of some array of faces; all fields (pairs,), folds from 0."""

    first: Indices
    second: Indices
    matched: NDArray[np.bool_]
    fold: Indices

    def __len__(self) -> int:
        return len(self.first)

    @property
    def sides(self) -> Indices:
        """(pairs, 2) the rows of both faces of each pair."""
        return np.stack([self.first, self.second], axis=1)


@dataclass(frozen=True)
class PairedPhotos:
    """The photos of a verification set, each once, and their pairs."""

    files: tuple[Path, ...]
    names: tuple[str, ...]  # (files,) whose photo each is
    display_names: tuple[str, ...]  # (files,) empty where the person is only a number
    pairs: Pairs  # rows of `files`
    map_rows: Indices  # rows of the photos to draw as a map
    key: tuple[Any, ...]  # besides the files, what sets differ by; it can be written as JSON
    people_known: bool = True  # False: two names may be one person, whom no matched pair shows

    def only(self, kept: Sequence[bool]) -> "PairedPhotos":
        """Without the photos that are not kept (files,), of which none is in a pair."""
        place = np.cumsum(kept) - 1  # (files,) the new row of each that is kept
        pairs = self.pairs
        return replace(
            self,
            files=tuple(compress(self.files, kept)),
            names=tuple(compress(self.names, kept)),
            display_names=tuple(compress(self.display_names, kept)),
            pairs=replace(pairs, first=place[pairs.first], second=place[pairs.second]),
            map_rows=place[[row for row in self.map_rows if kept[row]]],
        )


class PhotoOf(NamedTuple):
    """LFW's way to name a photo: the person, and the number from 1."""

    name: str
    number: int


class NamedPair(NamedTuple):
    """A line of pairs.txt, and the fold that it stands in."""

    first: PhotoOf
    second: PhotoOf
    fold: int

    @property
    def matched(self) -> bool:
        """The same person twice."""
        return self.first.name == self.second.name


def in_rows(named: Sequence[Any], rows: Mapping[Any, int]) -> Pairs:
    """Named pairs, which have the attributes of `Pairs`, by the row of each photo."""
    return Pairs(
        np.array([rows[pair.first] for pair in named]),
        np.array([rows[pair.second] for pair in named]),
        np.array([pair.matched for pair in named]),
        np.array([pair.fold for pair in named]),
    )


def read_pairs_txt(path: Path) -> list[NamedPair]:
    """LFW's pairs.txt: `folds count`, then in every fold `count` matched and as many mismatched.

    A header of one number means one fold (pairsDevTrain.txt). Blanks around a field or at the end
    of a line, and a byte order mark, mean nothing. InputError names the line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as pairs.txt ({error})") from error
    lines = [[field.strip() for field in line.rstrip().split("\t")] for line in text.splitlines()]
    words = lines[0] if lines else []
    if len(words) not in (1, 2) or not all(map(_is_number, words)):
        raise InputError(
            f"{path}, line 1: write the number of folds, a tab, and the number of matched pairs in"
            " each"
        )
    folds, count = (1, *map(int, words))[-2:]
    rows = [(line, fields) for line, fields in enumerate(lines[1:], 2) if fields != [""]]
    if len(rows) != folds * 2 * count:
        raise InputError(
            f"{path}: {len(rows)} pairs, but its first line promises {folds} × ({count} matched +"
            f" {count} mismatched)"
        )
    return [
        _named_pair(
            row, path, line=line, fold=number // (2 * count), matched=number % (2 * count) < count
        )
        for number, (line, row) in enumerate(rows)
    ]


def read_pairs_files(paths: Sequence[Path]) -> list[NamedPair]:
    """The pairs of several files, the folds of each after those of the one before.

    InputError where there are none, or but one fold: its threshold would be chosen on itself.
    """
    pairs: list[NamedPair] = []
    for path in paths:
        before = pairs[-1].fold + 1 if pairs else 0
        pairs += [pair._replace(fold=pair.fold + before) for pair in read_pairs_txt(path)]
    if not pairs:
        where = paths[0] if paths else "verification.pairs=[]"
        raise InputError(f"{where}: no pairs; give a file of pairs as LFW's pairs.txt")
    if pairs[-1].fold == 0:
        raise InputError(
            f"{paths[0]}: a single fold of pairs has no other to choose its threshold on; give two"
            " files, such as verification.pairs=[pairsDevTrain.txt,pairsDevTest.txt]"
        )
    return pairs


def write_pairs_txt(path: Path, pairs: Sequence[NamedPair], *, folds: int) -> None:
    """The same format; every fold has its matched pairs first."""
    lines = [f"{folds}\t{len(pairs) // folds // 2}"]
    for first, second, _ in pairs:
        names = first if first.name == second.name else (*first, second.name)
        lines.append("\t".join(map(str, (*names, second.number))))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _named_pair(row: list[str], path: Path, *, line: int, fold: int, matched: bool) -> NamedPair:
    try:
        if matched:
            name, one, other = row
            second = name
        else:
            name, one, second, other = row
        pair = NamedPair(PhotoOf(name, int(one)), PhotoOf(second, int(other)), fold)
    except ValueError:
        form = "name, number, number" if matched else "name, number, name, number"
        text = brief(" ".join(row))
        raise InputError(
            f"{path}, line {line}: {text!r} should be {form}, by tabs (the matched pairs of a fold"
            " come first, then as many mismatched ones)"
        ) from None
    if pair.matched and not matched:
        raise InputError(
            f"{path}, line {line}: {brief(name)} twice in a mismatched pair; name two people"
        )
    if pair.first == pair.second:  # it would always be verified
        raise InputError(
            f"{path}, line {line}: photo {pair.first.number} of {brief(name)} twice; name two"
            " photos"
        )
    return pair


def _is_number(word: str) -> bool:
    """A number of photos or pairs, of at most nine digits."""
    return word.isdecimal() and len(word) <= 9


def draw_pairs(
    groups: Sequence[Indices], trees: Indices, *, folds: int, per_fold: int, seed: int
) -> Pairs:
    """Seeded pairs whose folds share no group: `per_fold` matched and as many mismatched in each.

    `groups[i]` are the face indices of one identity in one tree, `trees[i]` the tree; a mismatched
    pair stays within one tree, so that the style of the crop gives nothing away. Whoever is alone
    in a tree and fold is in no pair. A fold with fewer different matched pairs gets all of them.
    InputError when a fold would not have two groups of one tree with two faces each.
    """
    rng = np.random.default_rng(seed)
    usable = [index for index, group in enumerate(groups) if len(group) >= 2]
    if len(usable) < 2 * folds:
        raise InputError(
            f"{len(usable)} people with two faces or more cannot fill {folds} folds of pairs;"
            f" at least {2 * folds} are needed: add photos, or ask for fewer folds"
        )
    dealt = _deal([int(index) for index in rng.permutation(usable)], trees, folds=folds)
    parts = [
        _fold_pairs([groups[i] for i in fold], trees[fold], per_fold=per_fold, rng=rng)
        for fold in dealt
    ]
    sides = np.concatenate([np.concatenate(part) for part in parts])
    matched = np.concatenate([np.repeat([True, False], list(map(len, part))) for part in parts])
    fold = np.repeat(np.arange(folds), [sum(map(len, part)) for part in parts])
    return Pairs(sides[:, 0], sides[:, 1], matched, fold)


def _deal(shuffled: Sequence[int], trees: Indices, *, folds: int) -> list[list[int]]:
    """The groups of each fold that are not alone in their tree there.

    Dealt tree by tree, so that every fold gets its share of each; by twos where that leaves a fold
    without two groups of one tree. InputError where that does as well.
    """
    by_tree = sorted(shuffled, key=lambda index: int(trees[index]))
    twos = [
        [index, next_one]
        for own in (list(tree) for _, tree in groupby(by_tree, key=lambda index: int(trees[index])))
        for index, next_one in zip(own[::2], own[1::2], strict=False)
    ]
    for dealt in (
        [by_tree[fold::folds] for fold in range(folds)],
        [list(chain.from_iterable(twos[fold::folds])) for fold in range(folds)],
    ):
        sizes = [Counter(trees[fold].tolist()) for fold in dealt]
        paired = [
            [index for index in fold if size[int(trees[index])] > 1]
            for fold, size in zip(dealt, sizes, strict=True)
        ]
        if all(paired):
            return paired
    raise InputError(
        f"{len(shuffled)} people in {len(np.unique(trees[shuffled]))} trees cannot fill {folds}"
        f" folds of pairs: each needs two people of one tree, and {len(twos)} such twos are there;"
        " add people, or ask for fewer folds"
    )


def _fold_pairs(
    groups: Sequence[Indices], trees: Indices, *, per_fold: int, rng: np.random.Generator
) -> tuple[Indices, Indices]:
    """Matched and mismatched pairs (n, 2), every person as likely as another."""
    matched: set[tuple[int, int]] = set()
    possible = sum(len(group) * (len(group) - 1) // 2 for group in groups)
    while len(matched) < min(per_fold, possible):
        one, other = rng.choice(groups[int(rng.integers(len(groups)))], 2, replace=False)
        matched.add((int(min(one, other)), int(max(one, other))))
    mismatched: set[tuple[int, int]] = set()
    within = {tree: np.flatnonzero(trees == tree) for tree in np.unique(trees)}
    possible = _different(groups, trees)
    while len(mismatched) < min(len(matched), possible):
        index = int(rng.integers(len(groups)))
        beside = within[trees[index]]  # all that this one may be paired with, and itself
        other = rng.choice(beside[beside != index])
        ends = int(rng.choice(groups[index])), int(rng.choice(groups[other]))
        mismatched.add((min(ends), max(ends)))
    # A set's order is not the drawing's: sorted, it is the same in every process.
    return np.array(sorted(matched)), np.array(sorted(mismatched))


def _different(groups: Sequence[Indices], trees: Indices) -> int:
    """How many mismatched pairs there are within trees."""
    sizes = np.array(list(map(len, groups)))
    total = 0
    for tree in np.unique(trees):
        own = sizes[trees == tree]
        total += int(own.sum() ** 2 - (own**2).sum()) // 2
    return total
