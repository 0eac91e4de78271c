"""What may be a person's name."""

from tripletlab.errors import InputError

LONGEST_NAME = 60


def valid_name(name: str) -> str:
    """The name with single spaces and none around it; InputError if it is empty or too long."""
    name = " ".join(name.split())
    if not name:
        raise InputError("give a name")
    if not is_name(name):
        raise InputError(f"{name!r} is not a name: 1 to {LONGEST_NAME} printable characters")
    return name


def is_name(name: object) -> bool:
    """Whether it is a name as `valid_name` returns one, but for its spaces."""
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable()
