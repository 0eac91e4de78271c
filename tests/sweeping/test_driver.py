"""The driver with real worker processes: they end, fail, die and are stopped."""

import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping import local_engine
from tripletlab.sweeping.axes import Choice
from tripletlab.sweeping.driver import Driver
from tripletlab.sweeping.jobs import Job
from tripletlab.sweeping.local_engine import Local
from tripletlab.sweeping.spaces import Space
from tripletlab.sweeping.storage import open_storage
from tripletlab.sweeping.study import reason
from tripletlab.sweeping.trial_queue import TrialQueue


class Display:
    def __init__(self):
        self.ends, self.lines = [], []

    def began(self, job):
        pass

    def epoch(self, job, epoch, metrics):
        pass

    def waits(self, job, line):
        self.lines.append((job.number, line))

    def ended(self, job, how):
        self.ends.append((job.number, how))


def work(job, reporter):
    """The job's config is a list of deeds; those done before a worker died are not repeated."""
    reporter.began(f"run {job.number}")
    print("running", job.number, flush=True)
    for epoch, deed in enumerate(job.config, start=1):
        mark = job.checkpoint.with_suffix(f".{epoch}")
        if mark.exists():
            continue
        if deed == "die":
            mark.touch()
        if deed in ("die", "die again"):
            os.kill(os.getpid(), signal.SIGKILL)
        if deed == "fail":
            raise ValueError("a real\nerror")
        if deed == "diverge":
            raise FloatingPointError("left the finite numbers")
        if deed == "wait":
            time.sleep(60)
        if deed == "store away":
            reporter.waits("waiting for the tracking store")
            deed = 0.5
        reporter.epoch(epoch, {"val/auc": float(deed)})
        job.checkpoint.write_text(str(epoch))
    return {SCORE: float(job.config[-1])}


def drive(folder, deeds, *, workers=1, retries=1, pruner=None, display=None):
    """A trial for each list of deeds."""
    space = Space(name="s", axes={"job": Choice(values=list(range(len(deeds))))}, pruner=pruner)
    storage = open_storage(f"sqlite:///{folder / 'optuna.db'}")
    study = TrialQueue.open(storage, name="a", space=space, fresh=False)
    engine = Local(workers=workers, gpus=1)
    engine.open(work)
    closed = []

    def job(taken):
        place = folder / str(taken.number)
        name, deed = str(taken.point["job"]), deeds[taken.point["job"]]
        log = place.with_suffix(".log")
        return Job(taken.number, name, deed, taken.run_id, place.with_suffix(".npz"), log, epochs=1)

    display = display or Display()
    driver = Driver(
        study,
        engine,
        prepare=job,
        display=display,
        retries=retries,
        close_run=lambda run, how: closed.append((run, how)),
    )
    driver.study_, driver.closed_, driver.display_ = study, closed, display
    return driver


def test_every_kind_of_end_is_recorded(tmp_path):
    driver = drive(
        tmp_path, [[0.5], ["fail"], ["diverge"], [0.6, "die", 0.7], ["die again"]], workers=2
    )
    driver.run()
    counts = driver.study_.counts()
    assert (counts["complete"], counts["pruned"], counts["failed"]) == (2, 1, 2)
    states = {trial.number: reason(trial) for trial in driver.study_.latest()}
    assert states[1] == "ValueError: a real error"
    assert states[2] == "left the finite numbers"
    assert "SIGKILL, 2 times" in states[4]
    assert ("run 3", "worker ended by SIGKILL") in driver.closed_
    assert driver.study_.trial(3).intermediate_values == {1: 0.6, 3: 0.7}
    assert "a real\nerror" in (tmp_path / "1.log").read_text()
    assert (tmp_path / "3.log").read_text().count("running 3") == 2
    assert not (tmp_path / "0.npz").exists()  # its checkpoint went with it


def test_a_poor_trial_is_ended_by_the_pruner(tmp_path):
    median = {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": 1}
    driver = drive(tmp_path, [[0.8, 0.9], [0.7, 0.95], [0.85, 0.9]], pruner=median)
    driver.run()
    assert driver.study_.counts()["pruned"] == 1
    assert reason(driver.study_.trial(1)) == "MedianPruner after epoch 1"
    assert driver.study_.trial(1).intermediate_values == {1: 0.7}


def test_a_sweep_whose_first_runs_all_fail_is_given_up(tmp_path):
    driver = drive(tmp_path, [["fail"]] * 5)
    with pytest.raises(InputError, match="first 3 runs all failed: ValueError: a real error"):
        driver.run()
    assert driver.study_.counts()["waiting"] == 2


def test_a_trial_whose_config_is_refused_fails_alone(tmp_path, capfd):
    driver = drive(tmp_path, [[0.5], [0.6]])
    prepare = driver.prepare

    def refuse_first(taken):
        if taken.number == 0:
            raise InputError("margin=-1: less than 0")
        return prepare(taken)

    driver.prepare = refuse_first
    driver.run()
    assert reason(driver.study_.trial(0)) == "margin=-1: less than 0"
    assert driver.study_.counts()["complete"] == 1
    assert "failed: margin=-1: less than 0" in capfd.readouterr().err


def test_a_stopped_trial_is_queued_again(tmp_path):
    class CtrlC(Display):
        def epoch(self, job, epoch, metrics):
            if job.number == 1:
                raise KeyboardInterrupt

    driver = drive(tmp_path, [[0.5], [0.55, "wait", 0.6]], display=CtrlC())
    with pytest.raises(KeyboardInterrupt):
        driver.run()
    counts = driver.study_.counts()
    assert (counts["complete"], counts["waiting"], counts["running"]) == (1, 1, 0)
    again = drive(tmp_path, [[0.5], [0.6]])
    again.run()
    assert again.study_.counts()["complete"] == 2
    assert again.display_.ends == [(1, "validation AUC 0.6000")]


def test_a_person_sees_what_a_worker_waits_for(tmp_path):
    driver = drive(tmp_path, [["store away"], [0.5]])
    driver.run()
    assert driver.display_.lines == [(0, "waiting for the tracking store")]
    assert len(driver.display_.ends) == 2


def test_a_worker_that_starts_survives_the_ctrl_c_of_its_terminal(tmp_path, capfd):
    engine = Local(workers=1, gpus=1)
    engine.open(process_id)
    engine.start(Job(0, "a", None, None, tmp_path / "a.npz", tmp_path / "a.log", epochs=1))
    (worker,) = engine.processes
    os.kill(worker.process.pid, signal.SIGINT)
    while not (events := engine.events()):
        pass
    ((_, done),) = events
    assert done.metrics[SCORE] == worker.process.pid
    engine.stop()
    assert capfd.readouterr().err == ""


def process_id(job, reporter):
    return {SCORE: float(os.getpid())}


def numpy_threads(job, reporter):
    np.ones((2, 2)) @ np.ones((2, 2))
    return {SCORE: float(max(one["num_threads"] for one in threadpool_info()))}


def test_numpy_has_one_thread_in_a_worker(tmp_path):
    engine = Local(workers=1, gpus=1)
    engine.open(numpy_threads)
    engine.start(Job(0, "a", None, None, tmp_path / "a.npz", tmp_path / "a.log", epochs=1))
    while not (events := engine.events()):
        pass
    ((_, done),) = events
    assert done.metrics[SCORE] == 1
    engine.stop()


def test_a_worker_is_replaced_after_so_many_jobs(tmp_path, monkeypatch):
    monkeypatch.setattr(local_engine, "JOBS", 2)
    engine = Local(workers=1, gpus=1)
    engine.open(process_id)
    served = []
    for number in range(3):
        engine.start(Job(number, "a", None, None, tmp_path / "a.npz", tmp_path / "a.log", epochs=1))
        while not (events := engine.events()):
            pass
        ((_, done),) = events
        served.append(int(done.metrics[SCORE]))
    first, again, second = served
    assert first == again != second
    for process in multiprocessing.active_children():  # the first ends by itself
        if process.pid == first:
            process.join(60)
            assert process.exitcode == 0
    engine.stop()
