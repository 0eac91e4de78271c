"""What may be a person's name."""

import unicodedata

from tripletlab.errors import JOINERS, InputError

LONGEST_NAME = 60
VIRAMA = 9  # its canonical combining class


def normal(name: str) -> str:
    """The name with composed letters (NFC), so that what looks the same is the same, and with
    single spaces and none around it."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def valid_name(name: str) -> str:
    """The name in its normal form; InputError if it is empty or too long."""
    name = normal(name)
    if not name:
        raise InputError("give a name")
    if not is_name(name):
        raise InputError(f"{name!r} is not a name: 1 to {LONGEST_NAME} printable characters")
    return name


def is_name(name: object) -> bool:
    """Whether it is a name as `valid_name` returns one, but for its normal form."""
    if not (isinstance(name, str) and 0 < len(name) <= LONGEST_NAME):
        return False
    return all(
        one.isprintable() or (one in JOINERS and _takes_joiner(before))
        for before, one in zip(f" {name}", name, strict=False)
    )


def _takes_joiner(letter: str) -> bool:
    """Whether a joiner after it is spelling, as in Persian and Sinhala: elsewhere it only makes two
    names of what looks like one."""
    arabic = unicodedata.bidirectional(letter) == "AL"
    return arabic or unicodedata.combining(letter) == VIRAMA
