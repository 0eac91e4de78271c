"""A job in a worker: how it ends, and what of it is in its log."""

import os

import pytest

from tripletlab.errors import Pruned
from tripletlab.sweeping.jobs import Began, Done, Epoch, Failed, Job, Stopped, perform


def job(folder):
    return Job(0, "a", None, None, folder / "0.npz", folder / "logs" / "0.log", epochs=1)


def raising(error):
    def work(job, reporter):
        os.write(1, b"out\n")  # as C libraries do; pytest has replaced sys.stdout
        os.write(2, b"err\n")
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (Pruned("too far behind"), Stopped("too far behind")),
        (FloatingPointError("diverged"), Stopped("diverged")),
        (
            ValueError("at http://me:secret@host\nof it"),
            Failed("ValueError: at http://me:***@host of it"),
        ),
    ],
)
def test_an_error_is_an_end_and_all_output_is_in_the_log(error, end, tmp_path):
    found = perform(raising(error), job(tmp_path), lambda event: None)
    assert (type(found), found) == (type(end), end)
    assert (tmp_path / "logs" / "0.log").read_text() == "out\nerr\n"


def test_events_are_sent_as_they_happen_and_a_reason_in_reply_stops_the_job(tmp_path):
    sent = []

    def send(event):
        sent.append(event)
        return "enough" if isinstance(event, Epoch) and event.epoch == 2 else None

    def work(job, reporter):
        reporter.began("run 1")
        for epoch in (1, 2, 3):
            reporter.epoch(epoch, {"val/auc": epoch / 10})
        return {}

    assert perform(work, job(tmp_path), send) == Stopped("enough")
    assert sent == [Began("run 1"), Epoch(1, {"val/auc": 0.1}), Epoch(2, {"val/auc": 0.2})]
    assert perform(lambda job, reporter: {"a": 1.0}, job(tmp_path), send) == Done({"a": 1.0})
