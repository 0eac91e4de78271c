"""Signals that stop a command: all of them let it end its runs, and none is dropped."""

import _thread
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

# Python deletes the semaphores of a killed worker anyway
QUIET = "ignore:resource_tracker:UserWarning"
_stopped = threading.Event()


def stop(number: int, frame: FrameType | None) -> None:
    """A signal handler that raises KeyboardInterrupt; from then on `stopped` says so."""
    _stopped.set()
    raise KeyboardInterrupt


def stopped() -> bool:
    """`stop` was called, whatever exception a library made of its KeyboardInterrupt."""
    return _stopped.is_set()


@contextlib.contextmanager
def terminated_as_by_hand() -> Iterator[None]:
    """SIGTERM, which schedulers and `kill` send, is the KeyboardInterrupt that Ctrl-C is.

    It leaves the block as one, also where a library in C has made another exception of it. A SIGINT
    that is ignored, as in a shell's background, stays so.
    """
    _stopped.clear()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    if before[signal.SIGINT] == signal.SIG_IGN:
        del before[signal.SIGINT]
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    except Exception as error:
        if stopped():
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def nothing_after_the_stop() -> Iterator[None]:
    """What an interrupt cuts off is not reported: cursors by SQLAlchemy, semaphores by Python."""

    def wanted(record: logging.LogRecord) -> bool:
        return not (stopped() and record.name.startswith("sqlalchemy."))

    before, handler = os.environ.get("PYTHONWARNINGS"), logging.lastResort
    os.environ["PYTHONWARNINGS"] = f"{before},{QUIET}" if before else QUIET  # for other processes
    if handler:
        handler.addFilter(wanted)
    try:
        yield
    finally:
        if handler:
            handler.removeFilter(wanted)
        del os.environ["PYTHONWARNINGS"]
        if before is not None:
            os.environ["PYTHONWARNINGS"] = before


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


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C comes after the block. A process that is started in it has none until it asks.

    Python itself would end with a traceback while it starts.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
