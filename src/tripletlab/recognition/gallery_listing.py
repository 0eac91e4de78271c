"""A gallery from the command line: listed, people removed and renamed. It needs no bundle."""

import contextlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tripletlab.recognition.gallery import EnrolledPerson, Gallery
from tripletlab.recognition.names import valid_name
from tripletlab.system.progress import result_console, say


def print_people(folder: Path, *, as_json: bool) -> None:
    """A table of everyone: name, photos, how many are unused, first and last date; or JSON Lines.

    Neither pictures nor embeddings are printed.
    """
    with contextlib.closing(Gallery.open(folder)) as gallery:
        people = gallery.persons()
    if as_json:
        for person in people:
            print(json.dumps(_plain(person), ensure_ascii=False))
    elif people:
        _print_table(people)
    else:
        say(f"{folder}: nobody is in it")


def remove(names: Sequence[str], folder: Path) -> None:
    """Delete people with all their photos; nobody where one of them is not there (InputError)."""
    with contextlib.closing(Gallery.open(folder)) as gallery:
        gallery.remove(*names)
        say(f"removed from {folder}: {', '.join(names)}; {len(gallery.people())} left")


def rename(old: str, new: str, folder: Path) -> None:
    """Rename a person; InputError where nobody has the old name, or somebody the new one."""
    with contextlib.closing(Gallery.open(folder)) as gallery:
        gallery.rename(old, new)
    say(f"{old} is {valid_name(new)} now, in {folder}")


def _plain(person: EnrolledPerson) -> dict[str, object]:
    times = {"first": _when(person.first), "last": _when(person.last)}
    return {"name": person.name, "photos": person.photos, "unused": person.unused} | {
        key: when and when.isoformat(timespec="seconds") for key, when in times.items()
    }


def _when(taken: object) -> datetime | None:
    """The local time; None where there is none, or a damaged one."""
    try:
        return datetime.fromtimestamp(float(str(taken))).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _print_table(people: Sequence[EnrolledPerson]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column("name", overflow="fold")
    table.add_column("photos", justify="right")
    for heading in ("first", "last"):
        table.add_column(heading, no_wrap=True)
    for person in people:
        dates = [
            f"{when:%Y-%m-%d %H:%M}" if when else ""
            for when in map(_when, (person.first, person.last))
        ]
        photos = f"{person.photos}" + f" ({person.unused} unused)" * bool(person.unused)
        table.add_row(Text(person.name), photos, *dates)
    result_console().print(table)
