"""Progress bars on stderr, and work spread over the cores under one."""

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tripletlab.system.redaction import redacted

Item = TypeVar("Item")
Result = TypeVar("Result")


@functools.cache
def console() -> Console:
    """Where a person looks while work goes on: stderr, so that stdout is the result alone."""
    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """A line above the bar, if there is one."""
    console().print(redacted(text), markup=False)


_quiet = threading.RLock()  # of two threads at once, the second would save what the first set


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Nothing on stderr, not even from C libraries, which no setting of Python's silences.

    Of several threads, one at a time is in such a block.
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
    """A bar with counts, time so far and time left; the value advances it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console()) as progress:
        task = progress.add_task(title, total=total)
        yield lambda steps: progress.advance(task, steps)


_settings: ContextVar[dict[str, Any]] = ContextVar("_settings")


@contextlib.contextmanager
def workers(**settings: Any) -> Iterator[None]:
    """While the block runs, work is spread as joblib.Parallel's settings say (backend, n_jobs)."""
    token = _settings.set(settings)
    try:
        yield
    finally:
        _settings.reset(token)


def stream(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    title: str,
    size: Callable[[Item], int],
) -> Iterator[Result]:
    """`work` on every item, over all cores, each result as soon as it is there; else as `spread`.

    Only the results that nobody has taken yet are in memory. A backend that cannot hand them out
    one by one does so for items of a size of a thousand a worker at a time.
    """
    import joblib

    settings = {"n_jobs": cores(), **_settings.get({})}
    streams = settings.get("backend", "loky") == "loky"
    parts = [items] if streams else _parts(items, size, most=1000 * settings["n_jobs"])
    parallel = joblib.Parallel(return_as="generator_unordered" if streams else "list", **settings)
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


def _sized(work: Callable[[Item], Result], item: Item, size: int) -> tuple[Result, int]:
    return work(item), size


def spread(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    title: str,
    size: Callable[[Item], int],
) -> list[Result]:
    """`work` on every item, over all cores, results in order; an item counts by its `size`."""
    numbered = list(enumerate(items))
    done = stream(_Numbered(work), numbered, title=title, size=lambda one: size(one[1]))
    return [result for _, result in sorted(done, key=lambda one: one[0])]


@dataclass(frozen=True)
class _Numbered(Generic[Item, Result]):
    """The work, and which of the items it was done on."""

    work: Callable[[Item], Result]

    def __call__(self, item: tuple[int, Item]) -> tuple[int, Result]:
        return item[0], self.work(item[1])


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
