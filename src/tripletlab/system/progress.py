"""Progress on stderr: lines, bars, and maps over all cores under a bar."""

import contextlib
import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

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
WATCH = 1.0  # seconds between two looks of a worker at its parent
Item = TypeVar("Item")
Result = TypeVar("Result")


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
    console().print(line, markup=False, soft_wrap=not console().is_terminal)


_quiet = threading.RLock()  # a second thread would save, and later restore, the discarded stderr


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what is written to stderr, by C libraries too.

    One thread at a time may be in such a block; others wait for it.
    """
    with _quiet:
        yield from _without_stderr()


def _without_stderr() -> Iterator[None]:
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


_settings: ContextVar[dict[str, Any]] = ContextVar("_settings")


@contextlib.contextmanager
def workers(**settings: Any) -> Iterator[None]:
    """Give joblib.Parallel these settings (backend, n_jobs) for the maps in the block."""
    token = _settings.set(settings)
    try:
        yield
    finally:
        _settings.reset(token)


def parallel_map(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    title: str,
    size: Callable[[Item], int],
) -> list[Result]:
    """`work` on every item, over all cores: the results in the order of the items.

    The bar counts an item by its `size`.
    """
    return list(_results(work, items, title=title, size=size, return_as="generator"))


def stream(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    title: str,
    size: Callable[[Item], int],
) -> Iterator[Result]:
    """As `parallel_map`, but each result as soon as it is there.

    Only results that have not been taken yet are in memory. A backend that cannot hand them out
    one by one does so for items of a size of a thousand a worker at a time.
    """
    return _results(work, items, title=title, size=size, return_as="generator_unordered")


def _results(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    title: str,
    size: Callable[[Item], int],
    return_as: str,
) -> Iterator[Result]:
    import joblib

    settings = {"n_jobs": cores(), **_settings.get({})}
    if streams := settings.get("backend", "loky") == "loky":
        settings |= {"initializer": _end_with, "initargs": (os.getpid(),)}
    parts = [items] if streams else _parts(items, size, most=1000 * settings["n_jobs"])
    parallel = joblib.Parallel(return_as=return_as if streams else "list", **settings)
    task = joblib.delayed(_sized)
    with bar(title, total=sum(map(size, items))) as advance, parallel:
        for part in parts:
            for result, steps in parallel(task(work, item, size(item)) for item in part):
                yield result
                advance(steps)


def _parts(
    items: Sequence[Item], size: Callable[[Item], int], *, most: int
) -> Iterator[Sequence[Item]]:
    """The items in stretches, each ended by the item that brings it to the size `most`."""
    part: list[Item] = []
    for item in items:
        part.append(item)
        if sum(map(size, part)) >= most:
            yield part
            part = []
    yield part


def _end_with(parent: int) -> None:
    """End this worker soon after its parent: loky's own waits for work for minutes."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _sized(work: Callable[[Item], Result], item: Item, size: int) -> tuple[Result, int]:
    return work(item), size


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
