"""Whoever reads gets the newest, and knows what was missed."""

import gc
import threading
import weakref

from tripletlab.webcam.latest import Latest


def test_every_reader_gets_the_newest_and_the_gap_tells_what_was_missed():
    latest = Latest()
    assert latest.after(0) is None
    latest.put("a")
    assert latest.after(0) == (1, "a")
    assert latest.after(1) is None
    for value in "bcd":
        latest.put(value)
    assert latest.after(1) == (4, "d")
    assert latest.after(0) == (4, "d")


def test_a_waiting_reader_is_woken():
    latest, got = Latest(), []
    reader = threading.Thread(target=lambda: got.append(latest.after(0, timeout=30)))
    reader.start()
    latest.put(1)
    reader.join(10)
    assert got == [(1, 1)]


def test_a_slow_reader_does_not_hold_the_writer():
    """A thousand values, and nobody reads: they are not kept."""

    class Value:
        pass

    latest, alive = Latest(), weakref.WeakSet()
    for _ in range(1000):
        value = Value()
        alive.add(value)
        latest.put(value)
    gc.collect()
    assert list(alive) == [value]
    assert latest.after(900) == (1000, value)
