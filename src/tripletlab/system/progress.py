"""Progress on stderr: lines and bars."""

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from tripletlab.errors import printable
from tripletlab.system.redaction import redacted

UNBOUNDED = 100_000  # characters of a line


@functools.cache
def console() -> Console:
    """The console for progress: stderr, so that stdout has the result alone."""
    return _console(stderr=True)


def result_console() -> Console:
    """The console for results: stdout as it is now."""
    return _console()


def _console(*, stderr: bool = False) -> Console:
    """A console of the terminal's width; a file or pipe has no width, unless COLUMNS gives one.

    A cell that is broken over two lines could not be found with grep.
    """
    made = Console(stderr=stderr, highlight=False, markup=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = UNBOUNDED
    return made


def say(text: str) -> None:
    """Print a line on stderr, above the bar if there is one; passwords in it are hidden.

    Only a terminal's lines are wrapped: in a file or pipe, a path stays on the line that names it.
    """
    line = printable(redacted(text))
    console().print(line, soft_wrap=not console().is_terminal)


_quiet = threading.RLock()  # a second thread would save, and later restore, the discarded stderr


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what is written to stderr, by C libraries too.

    One thread at a time may be in such a block; others wait for it.
    """
    with _quiet:
        sys.stderr.flush()
        saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(nowhere)


@contextlib.contextmanager
def bar(title: str, *, total: int) -> Iterator[Callable[[int], None]]:
    """A bar with counts, time so far and time left; yields a function that advances it."""
    whole = Column(no_wrap=True)  # so that the bar, and nothing else, shrinks on a narrow screen
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(table_column=whole),
        TimeElapsedColumn(table_column=whole),
        TextColumn("left"),
        TimeRemainingColumn(table_column=whole),
    )
    with Progress(*columns, console=console()) as progress:
        task = progress.add_task(printable(title), total=total)
        yield lambda steps: progress.advance(task, steps)
