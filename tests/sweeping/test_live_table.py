"""The display of a running sweep: its lines, its table and the time left."""

import re
from types import SimpleNamespace

from rich.console import Console

from tests.sweeping.studies import open_study
from tripletlab.sweeping import live_table
from tripletlab.sweeping.jobs import Job
from tripletlab.sweeping.live_table import LiveTable
from tripletlab.sweeping.spaces import MONITORED


def shown(display):
    console = Console(width=100)
    with console.capture() as printed:
        console.print(display.render())
    return " ".join(printed.get().split())


def test_the_time_left_counts_epochs_and_an_early_end_counts_as_all(tmp_path, monkeypatch, capfd):
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(live_table, "time", clock)
    now = 0.0
    queue = open_study(tmp_path)
    display = LiveTable(queue)
    first, second = (
        Job(queue.take().number, name, None, None, tmp_path, tmp_path, epochs=10)
        for name in ("one", "two")
    )
    for job in (first, second):
        display.began(job)
    now = 60.0
    display.epoch(first, 1, {MONITORED: 0.75})
    display.epoch(second, 1, {MONITORED: 0.25})
    assert "0.7500" in shown(display)
    # two epochs in a minute, and 38 to come
    assert "0 of 4 complete, 1:00 so far, about 19:00 left" in shown(display)

    queue.prune(second.number, "behind")
    display.ended(second, "behind")
    assert "1/4 two: behind (1:00, 1 epoch)" in capfd.readouterr().err
    # eleven in a minute, and 29 to come
    assert "0 of 4 complete, 1 pruned, 1:00 so far, about 2:38 left" in shown(display)

    queue.requeue(first.number)
    display.ended(first, "its worker died")
    # still eleven, and 30 to come
    assert "0 of 4 complete, 1 pruned, 1:00 so far, about 2:44 left" in shown(display)


def test_trials_of_different_lengths_are_counted_by_their_shares(tmp_path, monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(live_table, "time", clock)
    now = 0.0
    queue = open_study(tmp_path)
    display = LiveTable(queue)
    for name, epochs in (("short", 4), ("long", 400)):
        job = Job(queue.take().number, name, None, None, tmp_path, tmp_path, epochs=epochs)
        display.began(job)
        now += 30.0
        for epoch in range(epochs):
            display.epoch(job, epoch + 1, {MONITORED: 0.75})
    assert "1:00 so far, about 1:00 left" in shown(display)


def test_the_last_line_counts_trials_that_needed_no_job(tmp_path, capfd):
    queue = open_study(tmp_path)
    with LiveTable(queue):
        while taken := queue.take():
            queue.prune(taken.number, "behind")
    assert re.search(r"0 of 4 complete, 4 pruned, \d:\d\d so far\n", capfd.readouterr().err)
