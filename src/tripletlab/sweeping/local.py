"""The engine of one machine: worker processes, each with cores and GPUs of its own."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Annotated

from pydantic import Field

from tripletlab.sweeping.jobs import Began, Died, Epoch, Event, Job, Work, perform
from tripletlab.sweeping.leases import Lease, leases, visible_cores, visible_gpus
from tripletlab.system.interrupts import every_interrupt_heard

PATIENCE = 20.0  # seconds that a worker has to end its run when the sweep is stopped


@dataclass
class _Worker:
    lease: Lease
    process: BaseProcess
    line: Connection
    job: int | None = None


class Local:
    """Target of conf/engine/local: `workers` processes on this machine.

    A process is spawned for its first job and stays warm. When it dies its pipe closes, which is
    told at once. When the driver dies the workers end themselves.
    """

    def __init__(
        self,
        *,
        workers: Annotated[int, Field(ge=1, le=256)],
        gpus: Annotated[float, Field(gt=0)],
    ) -> None:
        self.leases = leases(workers, cores=visible_cores(), gpus=visible_gpus(), share=gpus)
        self.crew: list[_Worker | None] = [None for _ in self.leases]
        self.work: Work | None = None

    @property
    def workers(self) -> int:
        """How many jobs run at once."""
        return len(self.leases)

    def open(self, work: Work) -> None:
        """Jobs are done by `work` from now on."""
        self.work = work

    def start(self, job: Job) -> None:
        """Give a job to a free worker."""
        place = next(i for i, one in enumerate(self.crew) if one is None or one.job is None)
        worker = self.crew[place] = self.crew[place] or self._spawn(self.leases[place])
        worker.job = job.number
        with contextlib.suppress(OSError):  # dead before it began: `events` tells of it
            worker.line.send(job)

    def events(self) -> list[tuple[int, Event]]:
        """See Engine."""
        busy = [one for one in self.crew if one is not None and one.job is not None]
        ready = wait([one.line for one in busy], timeout=1.0)
        return [event for one in busy if one.line in ready for event in self._heard(one)]

    def answer(self, number: int, reason: str | None) -> None:
        """Answer an Epoch."""
        worker = next(one for one in self.crew if one is not None and one.job == number)
        with contextlib.suppress(OSError):
            worker.line.send(reason)

    def stop(self) -> None:
        """SIGTERM, on which a worker ends its run; SIGKILL when that takes too long."""
        there = [one for one in self.crew if one is not None]
        for one in there:
            one.process.terminate()
        for one in there:
            one.process.join(PATIENCE)
            one.process.kill()
            one.process.join()
        self.crew = [None for _ in self.leases]

    def _heard(self, worker: _Worker) -> Iterator[tuple[int, Event]]:
        number = worker.job
        assert number is not None
        try:
            event: Event = worker.line.recv()
        except Exception:  # the pipe closed, perhaps in the middle of a message
            worker.process.join()
            code = worker.process.exitcode or 0
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self.crew[self.crew.index(worker)] = None
            yield number, Died(f"worker ended by {how}")
            return
        if not isinstance(event, Began | Epoch):
            worker.job = None
        yield number, event

    def _spawn(self, lease: Lease) -> _Worker:
        spawning = multiprocessing.get_context("spawn")
        ours, theirs = spawning.Pipe()
        process = spawning.Process(target=_serve, args=(self.work, lease, theirs), daemon=True)
        process.start()
        theirs.close()  # the worker's end is its own, so that it closes when the worker dies
        return _Worker(lease, process, ours)


def _serve(work: Work, lease: Lease, line: Connection) -> None:
    """A worker's life: one job after the other."""
    lease.take()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's; it then says stop
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_end_with_the_driver, daemon=True).start()

    def send(event: Event) -> str | None:
        line.send(event)
        return line.recv() if isinstance(event, Epoch) else None

    with (
        contextlib.suppress(EOFError, KeyboardInterrupt),
        every_interrupt_heard(signal.SIGTERM),
    ):
        while True:
            job: Job = line.recv()
            line.send(perform(work, job, send))


def _end_with_the_driver() -> None:
    driver = multiprocessing.parent_process()
    assert driver is not None
    wait([driver.sentinel])
    os._exit(1)
