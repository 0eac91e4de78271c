"""People's names: when two are the same, and which are only numbers."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

KEPT_MARKS = {0, 7, 8, 9}  # combining classes of marks that are letters' own: vowel signs, dakuten


def normalised(name: str) -> str:
    """The letters and digits of a name, without case and accents; two equal ones are one person.

    Empty where there are none. Marks that make another letter, as in Hindi or Japanese, stay.
    """
    split = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in split if letter.isalnum() or _is_kept_mark(letter))


def _is_kept_mark(letter: str) -> bool:
    is_mark = unicodedata.category(letter).startswith("M")
    return is_mark and unicodedata.combining(letter) in KEPT_MARKS


def numbered(names: Collection[str]) -> set[str]:
    """Names that identify nobody: numbers (n000001), series (person 1, person 2), no letters."""
    series = Counter(_without_digits(name) for name in names if _has_digit(name))
    return {
        name
        for name in names
        if (len(_without_digits(name)) < 2 and (_has_digit(name) or not normalised(name)))
        or (_has_digit(name) and series[_without_digits(name)] > 1)
    }


def spelled_differently(names: Iterable[str]) -> list[list[str]]:
    """Groups of names that differ only in case, accents and punctuation."""
    groups: dict[str, list[str]] = {}
    for name, first in first_spellings(names).items():
        groups.setdefault(first, []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def first_spellings(names: Iterable[str]) -> dict[str, str]:
    """For each name the first in order of those that differ only in case, accents, punctuation."""
    first: dict[str, str] = {}
    return {name: first.setdefault(normalised(name) or name, name) for name in sorted(set(names))}


def known_by(people: Mapping[str, str]) -> dict[str, set[str]]:
    """The normalised names of each person, by folder: the folder's own, and the one it maps to."""
    return {
        folder: {normalised(folder), normalised(name)} - {""} for folder, name in people.items()
    }


def _has_digit(name: str) -> bool:
    return any(letter.isdigit() for letter in name)


def _without_digits(name: str) -> str:
    return "".join(letter for letter in normalised(name) if not letter.isdigit())
