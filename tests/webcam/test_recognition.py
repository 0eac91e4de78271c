"""Frames become people: sizes, timings, dropped frames, and the thread's end."""

import time
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tests.webcam.people import ANN, picture
from tripletlab.recognition.recogniser import Recogniser
from tripletlab.recognition.search import Enrolled
from tripletlab.webcam import recognition
from tripletlab.webcam.camera import Frame
from tripletlab.webcam.mailbox import Mailbox
from tripletlab.webcam.recognition import LONGEST, RecognitionThread, recognise_frame, status

SIDE = 320


@pytest.fixture(scope="module")
def photo():
    return picture(ANN, 1)


@pytest.fixture
def recogniser(bundle):
    nobody = Enrolled([], np.empty((0, bundle.embedder.dim), np.float32), np.array([0]))
    return Recogniser(bundle, nobody)


def test_a_large_picture_is_searched_small_and_its_boxes_are_in_its_own_pixels(recogniser, photo):
    (small,) = recognise_frame(photo, recogniser).people
    times = 4  # 1,280 pixels a side: twice LONGEST
    large = cv2.resize(photo, (times * SIDE, times * SIDE), interpolation=cv2.INTER_CUBIC)
    searched = []
    detector = recogniser.bundle.recipe.detector

    def watching(grey):
        searched.append(grey.shape)
        return detector(grey)

    recipe = replace(recogniser.bundle.recipe, detector=watching)
    recogniser.bundle = replace(recogniser.bundle, recipe=recipe)
    result = recognise_frame(large, recogniser, dropped=2)
    assert searched == [(LONGEST, LONGEST)]
    assert (result.picture is large, result.dropped) == (True, 2)
    (person,) = result.people
    box, expected = np.array(person.found.box), times * np.array(small.found.box)
    assert np.abs(box - expected).max() < 0.1 * times * small.found.box[2]


@pytest.mark.parametrize("shape", [(80, 200, 3), (2000, 700, 3), (60, 60), (2, 3000, 3)])
def test_a_picture_without_a_face_has_no_people(recogniser, shape):
    result = recognise_frame(np.full(shape, 127, np.uint8), recogniser)
    assert result.people == []
    assert all(value >= 0 for value in result.timings)


def test_the_timings_are_milliseconds_that_add_up(recogniser, photo):
    began = time.perf_counter()
    timings = recognise_frame(photo, recogniser).timings
    assert 0 < sum(timings) <= 1000 * (time.perf_counter() - began)


@pytest.fixture
def running(recogniser):
    """A thread before a mailbox of frames; stopped in the end."""
    frames: Mailbox[Frame] = Mailbox()
    thread = RecognitionThread(frames, recogniser)
    yield frames, thread
    thread.stop()
    if thread.ident:
        thread.join(10)
        assert not thread.is_alive()


def test_the_newest_frame_is_recognised_and_the_others_are_counted(running, photo):
    frames, thread = running
    for _ in range(3):
        frames.put(Frame(np.zeros_like(photo), 0.0))
    frames.put(Frame(photo, 0.0))
    thread.start()
    serial, first = thread.results.after(0, timeout=20)
    assert first.picture is photo
    assert (len(first.people), first.dropped) == (1, 3)
    frames.put(Frame(np.zeros_like(photo), 0.0))
    _, second = thread.results.after(serial, timeout=20)
    assert (second.people, second.dropped) == ([], 0)
    assert thread.trouble == ""


def test_it_ends_without_a_frame(running):
    _, thread = running
    thread.start()
    thread.stop()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_ends_the_thread_is_shown(running):
    frames, thread = running
    thread.start()
    frames.put(Frame(np.zeros((0, 0, 3), np.uint8), 0.0))
    thread.join(20)
    assert thread.trouble.startswith("Recognition has stopped: ")
    assert "Error: " in thread.trouble or "error: " in thread.trouble


def test_too_little_memory_ends_the_thread_without_a_traceback(running, monkeypatch):
    def starve(*_, **__):
        raise cv2.error("std::bad_alloc")

    frames, thread = running
    monkeypatch.setattr(recognition, "recognise_frame", starve)
    thread.start()
    frames.put(Frame(np.zeros((9, 9, 3), np.uint8), 0.0))
    thread.join(20)
    assert thread.trouble == "Recognition has stopped: out of memory"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "No face in sight"),
        (["Ann"], "Ann"),
        ([None], "An unknown person"),
        (["Ann", None], "Ann and an unknown person"),
        (["ann", "Ben"], "ann and Ben"),
        (["Ann", None, "Ben", None], "Ann, Ben and 2 unknown people"),
    ],
)
def test_who_is_in_sight_is_said_in_a_few_words(names, text):
    assert status([SimpleNamespace(name=name) for name in names]) == text
