"""The driver takes trials from the queue, gives them to workers, and records their events."""

import math
from collections.abc import Callable
from typing import Protocol

from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import describe
from tripletlab.sweeping.jobs import (
    Began,
    Died,
    Done,
    Engine,
    Epoch,
    Event,
    Failed,
    Job,
    Stopped,
    Waits,
)
from tripletlab.sweeping.spaces import MONITORED
from tripletlab.sweeping.study import RUN
from tripletlab.sweeping.trial_queue import QueuedTrial, TrialQueue
from tripletlab.system.progress import say

MAX_FIRST_FAILURES = 3  # without one success: the other trials would most likely fail as well


class Display(Protocol):
    """Shows a person how the trials get on."""

    def began(self, job: Job) -> None:
        """A worker has the job."""

    def epoch(self, job: Job, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch of it ended."""

    def waits(self, job: Job, line: str) -> None:
        """It waits for the tracking store, or no longer, as the line says."""

    def ended(self, job: Job, how: str) -> None:
        """It is over; `how` is one line."""


class Driver:
    """Runs a study's trials on an engine until none is left.

    `prepare` turns a trial into a job. A trial whose worker dies is queued again, at most `retries`
    times; `close_run` is called with the MLflow run that the dead worker left open, and the reason.
    """

    def __init__(
        self,
        queue: TrialQueue,
        engine: Engine,
        *,
        prepare: Callable[[QueuedTrial], Job],
        display: Display,
        retries: int,
        close_run: Callable[[str, str], None],
    ) -> None:
        self.queue, self.engine, self.prepare, self.display = queue, engine, prepare, display
        self.retries, self.close_run = retries, close_run
        self.running: dict[int, Job] = {}
        self.any_succeeded, self.failures = False, 0

    def run(self) -> None:
        """Until every trial has ended; where it is stopped, running trials are queued again.

        InputError when the first trials all fail: the others most likely would, too.
        """
        try:
            while self._fill() or self.running:
                for number, event in self.engine.events():
                    self._handle(self.running[number], event)
        finally:
            self.engine.stop()
            for number in self.running:
                self.queue.requeue(number)
                self._close_run(number, "stopped with the sweep")

    def _fill(self) -> bool:
        """Give every free worker a trial; False where none began."""
        began = False
        while len(self.running) < self.engine.workers and (taken := self.queue.take()):
            try:
                job = self.prepare(taken)
            except InputError as error:  # a drawn value that the config does not take
                self._refuse(taken, str(error))
                continue
            self.running[taken.number] = job
            self.engine.start(job)
            self.display.began(job)
            began = True
        return began

    def _handle(self, job: Job, event: Event) -> None:
        queue, number = self.queue, job.number
        match event:
            case Began(run_id):
                queue.note_trial(number, RUN, run_id)
            case Epoch(epoch, metrics):
                stop = queue.report(number, epoch, metrics[MONITORED])
                self.display.epoch(job, epoch, metrics)
                pruner = type(queue.study.pruner).__name__
                self.engine.reply(number, f"{pruner} after epoch {epoch}" if stop else None)
            case Waits(line):
                self.display.waits(job, line)
            case Done(metrics):
                self._complete(job, metrics)
            case Stopped(reason):
                queue.prune(number, reason)
                self._succeed(job, reason)
            case Failed(error):
                self._fail(job, error)
            case Died(how):
                self._retry(job, how)

    def _complete(self, job: Job, metrics: dict[str, float]) -> None:
        objectives = self.queue.space.objectives
        for name in objectives:
            if not math.isfinite(metrics.get(name, math.nan)):
                has = ", ".join(sorted(metrics))
                self._fail(job, f"the run has no finite {name}; it has {has}")
                return
        self.queue.complete(job.number, metrics)
        shown = [(describe(name), metrics[name]) for name in objectives]
        self._succeed(job, ", ".join(f"{one.heading} {one.figure(of)}" for one, of in shown))

    def _succeed(self, job: Job, how: str) -> None:
        del self.running[job.number]
        self.any_succeeded = True
        job.checkpoint.unlink(missing_ok=True)
        self.display.ended(job, how)

    def _fail(self, job: Job, error: str) -> None:
        del self.running[job.number]
        self.queue.fail(job.number, error)
        self.display.ended(job, f"failed: {error} (see {job.log})")
        self._count_failure(f"{error} (see {job.log})")

    def _refuse(self, taken: QueuedTrial, error: str) -> None:
        self.queue.fail(taken.number, error)
        say(f"{self.queue.title(self.queue.trial(taken.number))}: failed: {error}")
        self._count_failure(error)

    def _count_failure(self, error: str) -> None:
        self.failures += 1
        if not self.any_succeeded and self.failures == MAX_FIRST_FAILURES:
            raise InputError(f"the first {MAX_FIRST_FAILURES} runs all failed: {error}")

    def _retry(self, job: Job, how: str) -> None:
        deaths = self.queue.count_death(job.number)
        self._close_run(job.number, how)
        if deaths > self.retries:
            self._fail(job, f"{how}, {deaths} times")
            return
        del self.running[job.number]
        self.queue.requeue(job.number)
        self.display.ended(job, f"{how}; it goes on from its last epoch")

    def _close_run(self, number: int, why: str) -> None:
        if run_id := self.queue.trial(number).user_attrs.get(RUN):
            self.close_run(run_id, why)
