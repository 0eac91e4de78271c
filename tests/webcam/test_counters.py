"""The line of counters: frames of the last second, dropped ones since the start."""

import numpy as np

from tripletlab.webcam.counters import Counters
from tripletlab.webcam.recognition import RecognisedFrame, Timings


def frame(*, dropped):
    return RecognisedFrame(np.zeros((4, 4, 3), np.uint8), [], Timings(12.4, 3.26, 0.123), dropped)


def test_the_counters_forget_what_is_older_than_a_second():
    counters = Counters()
    for now in (0.0, 0.9, 1.5):
        counters.shown(now)
        counters.recognised(frame(dropped=3), now)
    assert counters.line(1.6) == (
        "2 frames/s, 2 recognised/s, 9 dropped   detection 12 ms, embedding 3.3 ms, search 0.12 ms"
    )
    assert counters.line(5).startswith("0 frames/s, 0 recognised/s, 9 dropped")


def test_shown_and_recognised_frames_are_counted_separately():
    counters = Counters()
    for hundredth in range(30):
        counters.shown(hundredth / 100)
    counters.recognised(frame(dropped=1200), 0.3)
    assert counters.line(0.3).startswith("30 frames/s, 1 recognised/s, 1,200 dropped")


def test_before_the_first_frame_there_is_a_line():
    assert Counters().line(0).strip() == "0 frames/s, 0 recognised/s, 0 dropped"
