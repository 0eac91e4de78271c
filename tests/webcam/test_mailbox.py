"""A reader gets the newest value, and can tell how many it missed."""

import gc
import threading
import weakref

from tripletlab.webcam.mailbox import Mailbox


def test_every_reader_gets_the_newest_and_the_gap_tells_what_was_missed():
    mailbox = Mailbox()
    assert mailbox.after(0) is None
    mailbox.put("a")
    assert mailbox.after(0) == (1, "a")
    assert mailbox.after(1) is None
    for value in "bcd":
        mailbox.put(value)
    assert mailbox.after(1) == (4, "d")
    assert mailbox.after(0) == (4, "d")


def test_a_waiting_reader_is_woken():
    mailbox, got = Mailbox(), []
    reader = threading.Thread(target=lambda: got.append(mailbox.after(0, timeout=30)))
    reader.start()
    mailbox.put(1)
    reader.join(10)
    assert got == [(1, 1)]


def test_a_slow_reader_does_not_hold_the_writer():
    """A thousand values, and nobody reads: they are not kept."""

    class Value:
        pass

    mailbox, alive = Mailbox(), weakref.WeakSet()
    for _ in range(1000):
        value = Value()
        alive.add(value)
        mailbox.put(value)
    gc.collect()
    assert list(alive) == [value]
    assert mailbox.after(900) == (1000, value)
