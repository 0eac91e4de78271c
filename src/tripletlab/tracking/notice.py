"""A line about a long wait."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tripletlab.system.progress import say
from tripletlab.system.redaction import redacted


@contextmanager
def notice(waiting: str, over: str, *, after: float) -> Iterator[None]:
    """Where the block takes more than `after` seconds, a line then, and another at its end."""

    def tell() -> None:
        if sys.stderr is screen:
            say(waiting)
        else:  # MLflow's notes are being discarded
            print(redacted(waiting), file=screen, flush=True)
        said.set()

    screen, said = sys.stderr, threading.Event()
    timer = threading.Timer(after, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
        if said.is_set():
            say(over)
    finally:
        timer.cancel()
