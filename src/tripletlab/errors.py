"""Errors whose message is for the user, errors that end a run on purpose, and printable texts."""

STARVED = (  # what libraries say where there is no memory, or none for another thread
    *("failed to map segment", "can't start new thread", "Resource temporarily unavailable"),
    *("OOM when allocating", "could not create a primitive", "bad_alloc"),
    "Failed to serialize proto",
)

JOINERS = "\u200c\u200d"  # invisible, but part of words in Persian, Hindi and others


class InputError(Exception):
    """Something the user gave cannot be used; the message is one line: what, where, what to do.

    The command line prints it and exits with code 2.
    """


class Unavailable(InputError):  # noqa: N818 - named as what happened
    """A file or a disk cannot be used now; what is finished is worth keeping for the next try."""


class NoRuns(InputError):  # noqa: N818 - named as what happened
    """A tracking store has no runs, or there is none yet."""


class Deleted(InputError):  # noqa: N818 - named as what happened
    """A run, a model or a file of one was deleted in the tracking store."""


class Pruned(Exception):  # noqa: N818 - named as what happened
    """Raised in a run that is not worth going on with; the message is the reason."""


def starved(error: BaseException) -> bool:
    """Whether an error, by its type or by what libraries write, is a lack of memory or threads."""
    return isinstance(error, MemoryError) or any(one in str(error) for one in STARVED)


def printable(text: str, *, kept: str = "\n\t") -> str:
    """The text with control characters, which a terminal would obey, written as \\x1b."""
    return "".join(
        one if one.isprintable() or one in JOINERS + kept else one.encode("unicode_escape").decode()
        for one in text
    )


def brief(value: object) -> str:
    """The text of a value from a file, as one printable line of 200 characters at most."""
    line = printable(" ".join(str(value).split()))
    return line if len(line) <= 200 else f"{line[:200]}…"
