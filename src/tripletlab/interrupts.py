"""Signals that Python drops now and then, sent again."""

import _thread
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def every_interrupt_heard(by: signal.Signals) -> Iterator[None]:
    """A KeyboardInterrupt comes again, by the signal that raises it, when Python has dropped it.

    It drops every exception in a callback of the garbage collector, and a sweep spends seconds in
    there when Keras forgets the network of the run before.
    """

    def dropped(what: "sys.UnraisableHookArgs") -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            threading.Timer(0.1, _thread.interrupt_main, [by]).start()
        else:
            before(what)

    before, sys.unraisablehook = sys.unraisablehook, dropped
    try:
        yield
    finally:
        sys.unraisablehook = before
