"""The driver takes trials from the study, gives them to workers, and notes what they tell."""

import math
from collections.abc import Callable
from typing import Protocol

from tripletlab.errors import InputError
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
)
from tripletlab.sweeping.study import RUN, Study, Taken

HOPELESS = 3  # failures before anything else; what follows would fail as well
WATCHED = "validation_auc"  # what a pruner compares, epoch by epoch


class Board(Protocol):
    """What a person sees of it."""

    def began(self, job: Job) -> None:
        """A worker has the job."""

    def epoch(self, job: Job, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch of it ended."""

    def ended(self, job: Job, how: str) -> None:
        """It is over; `how` is one line."""


class Driver:
    """Runs a study's trials on an engine until none is left.

    `prepare` turns a trial into a job. A trial whose worker dies is taken again, at most `retries`
    times; `closed` is then told the MLflow run that the dead worker left open, and whether the
    trial has been given up.
    """

    def __init__(
        self,
        study: Study,
        engine: Engine,
        *,
        prepare: Callable[[Taken], Job],
        board: Board,
        retries: int,
        closed: Callable[[str, str], None],
    ) -> None:
        self.study, self.engine, self.prepare, self.board = study, engine, prepare, board
        self.retries, self.closed = retries, closed
        self.at_work: dict[int, Job] = {}
        self.hope, self.failures = False, 0

    def run(self) -> None:
        """Until every trial has ended; when it is stopped, trials at work wait for the next time.

        InputError when the first trials all fail: the others would, too.
        """
        try:
            while self._fill() or self.at_work:
                for number, event in self.engine.events():
                    self._hear(self.at_work[number], event)
        finally:
            self.engine.stop()
            for number in self.at_work:
                self.study.wait_again(number)
                if run_id := self.study.frozen(number).user_attrs.get(RUN):
                    self.closed(run_id, "stopped with the sweep")

    def _fill(self) -> bool:
        began = False
        while len(self.at_work) < self.engine.workers and (taken := self.study.take()):
            job = self.at_work[taken.number] = self.prepare(taken)
            self.engine.start(job)
            self.board.began(job)
            began = True
        return began

    def _hear(self, job: Job, event: Event) -> None:
        study, number = self.study, job.number
        match event:
            case Began(run_id):
                study.note(number, RUN, run_id)
            case Epoch(epoch, metrics):
                stop = study.report(number, epoch, metrics[WATCHED])
                self.board.epoch(job, epoch, metrics)
                self.engine.answer(number, self._why(epoch) if stop else None)
            case Done(metrics):
                lacking = [
                    name
                    for name in study.space.objectives
                    if not math.isfinite(metrics.get(name, math.nan))
                ]
                if lacking:
                    has = ", ".join(sorted(metrics))
                    self._end(job, f"the run has no number {lacking[0]}; it has {has}", failed=True)
                else:
                    study.complete(number, metrics)
                    values = (f"{name} {metrics[name]:.4g}" for name in study.space.objectives)
                    self._end(job, ", ".join(values))
            case Stopped(reason):
                study.pruned(number, reason)
                self._end(job, reason)
            case Failed(error):
                self._end(job, error, failed=True)
            case Died(how):
                self._bury(job, how)

    def _why(self, epoch: int) -> str:
        return f"{type(self.study.study.pruner).__name__} after epoch {epoch}"

    def _end(self, job: Job, how: str, *, failed: bool = False) -> None:
        del self.at_work[job.number]
        if not failed:
            self.hope = True
            job.checkpoint.unlink(missing_ok=True)
            self.board.ended(job, how)
            return
        self.study.failed(job.number, how)
        self.board.ended(job, f"failed: {how} (see {job.log})")
        self.failures += 1
        if not self.hope and self.failures == HOPELESS:
            raise InputError(f"the first {HOPELESS} runs all failed: {how} (see {job.log})")

    def _bury(self, job: Job, how: str) -> None:
        deaths = self.study.died(job.number)
        run_id = self.study.frozen(job.number).user_attrs.get(RUN)
        if run_id:
            self.closed(run_id, how)
        if deaths > self.retries:
            self._end(job, f"{how}, {deaths} times", failed=True)
            return
        del self.at_work[job.number]
        self.study.wait_again(job.number)
        self.board.ended(job, f"{how}; it goes on from its last epoch")
