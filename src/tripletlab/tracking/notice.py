"""A line about a long wait."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tripletlab.system.progress import say
from tripletlab.system.redaction import redacted

_listeners: list[Callable[[str], object]] = []


@contextmanager
def waits_passed_to(listener: Callable[[str], object]) -> Iterator[None]:
    """Call it with each line as well, from whichever thread waits.

    A worker's lines go into its log, where nobody looks while the sweep stands still.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def notice(waiting: str, over: str, *, after: float) -> Iterator[None]:
    """Where the block takes more than `after` seconds, a line then, and another at its end."""

    def tell() -> None:
        said.set()
        _call(waiting)
        with suppress(OSError):  # the log is on a disk that is full, too
            if sys.stderr is screen:
                say(waiting)
            else:  # MLflow's notes are being discarded
                print(redacted(waiting), file=screen, flush=True)

    screen, said = sys.stderr, threading.Event()
    timer = threading.Timer(after, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
        if said.is_set():
            _call(over)
            say(over)
    finally:
        timer.cancel()


def _call(line: str) -> None:
    for listener in _listeners:
        with suppress(OSError):  # a driver that has died
            listener(redacted(line))
