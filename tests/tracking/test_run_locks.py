"""Runs whose process was killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

from mlflow import MlflowClient

from tests.tracking.projects import status, tracker_in
from tripletlab.experiment import resumption
from tripletlab.experiment.resumption import RECIPE, earlier
from tripletlab.tracking.run_locks import LOCK, UNUSED, RunLocks
from tripletlab.tracking.tracker import Tracker

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


def test_only_the_folder_of_a_run_closes_it_on_a_shared_server(tracker, tmp_path, monkeypatch):
    monkeypatch.setattr(Tracker, "_served", True)
    colleague = tracker_in(tmp_path / "colleague", uri=tracker.uri)
    with tracker.run("one", params={}, tags={RECIPE: "0"}) as run:
        colleague.open()
        assert status(run.run_id) == "RUNNING"
        monkeypatch.setattr(resumption, "_recipe", lambda config, data: "0")
        with earlier(None, None, colleague, fresh=False) as known:
            assert known.run is None
        with earlier(None, None, tracker, fresh=False) as known:
            assert known.run.run_id == run.run_id
    with earlier(None, None, colleague, fresh=False) as known:
        assert known.run.status == "FINISHED"
    assert not list((tmp_path / "live").iterdir())


def test_a_dead_run_of_another_experiment_is_closed_too(tracker):
    lock = Path(tracker.folder) / "live" / ("a" * 32)
    other = MlflowClient().create_experiment("other")
    run = MlflowClient().create_run(other, tags=RunLocks.tags(lock))
    lock.touch()
    tracker.open()
    assert status(run.info.run_id) == "KILLED"


def test_a_tag_that_leads_out_of_the_folder_deletes_nothing(tracker, tmp_path):
    (tmp_path / "letter.txt").write_text("dear all")
    name = "../letter.txt"
    with tracker.run("one", params={}, tags={}) as run:
        MlflowClient().set_tag(run.run_id, LOCK, name)
        tracker.open()
    with tracker.run("one", params={}, tags={}, resume=run.run_id):
        MlflowClient().set_tag(run.run_id, LOCK, name)
    assert (tmp_path / "letter.txt").read_text() == "dear all"


LOCK_AND_WAIT = """
import sys, time
from pathlib import Path
from tripletlab.system.locks import held
with held(Path(sys.argv[1])):
    print(flush=True)
    time.sleep(600)
"""


def test_the_lock_of_a_process_that_was_killed_before_its_run_began_is_deleted(tracker):
    tracker.open()
    lock, young = (Path(tracker.folder) / "live" / (letter * 32) for letter in "ab")
    process = subprocess.Popen(
        [sys.executable, "-c", LOCK_AND_WAIT, str(lock)], stdout=subprocess.PIPE
    )
    process.stdout.readline()
    young.touch()
    long_ago = time.time() - 2 * UNUSED
    os.utime(lock, (long_ago, long_ago))
    tracker.open()
    assert lock.is_file()
    process.kill()
    process.wait()
    tracker.open()
    assert not lock.is_file()
    assert young.is_file()
