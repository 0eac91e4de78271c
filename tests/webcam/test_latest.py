"""Whoever reads gets the newest, and knows what was missed."""

import threading

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
    """Ten thousand values, and nobody reads: they are not kept."""
    latest = Latest()
    for value in range(10_000):
        latest.put(value)
    assert latest.after(9_000) == (10_000, 9_999)
