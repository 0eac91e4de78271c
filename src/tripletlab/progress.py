"""Progress bars on stderr, and work spread over the cores under one."""

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Item = TypeVar("Item")
Result = TypeVar("Result")


@functools.cache
def console() -> Console:
    """Where a person looks while work goes on: stderr, so that stdout is the result alone."""
    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """A line above the bar, if there is one."""
    console().print(text, markup=False)


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Nothing on stderr, not even from C libraries, which no setting of Python's silences."""
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


def spread(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    title: str,
    size: Callable[[Item], int],
) -> list[Result]:
    """`work` on every item, over all cores, results in order; an item counts by its `size`."""
    import joblib

    results: list[Result] = []
    parallel = joblib.Parallel(n_jobs=cores(), return_as="generator")
    with bar(title, total=sum(map(size, items))) as advance:
        for item, result in zip(
            items, parallel(joblib.delayed(work)(item) for item in items), strict=True
        ):
            results.append(result)
            advance(size(item))
    return results


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
