"""Runs whose process was killed."""

import subprocess
import sys

from tests.tracking.projects import status

BEGIN_AND_WAIT = """
import sys, time
from tripletlab.tracking.tracker import Tracker
tracker = Tracker(sys.argv[1], "test", sys.argv[2])
tracker.open()
with tracker.run("one", params={}, tags={}) as run:
    print(run.run_id, flush=True)
    time.sleep(600)
"""


def test_the_run_of_a_killed_process_is_closed_and_that_of_a_live_one_is_not(tracker):
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN_AND_WAIT, tracker.folder, tracker.uri],
        stdout=subprocess.PIPE,
        text=True,
    )
    run_id = process.stdout.readline().strip()
    tracker.open()
    assert status(run_id) == "RUNNING"
    process.kill()
    process.wait()
    assert status(run_id) == "RUNNING"
    tracker.open()
    assert status(run_id) == "KILLED"
