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

from tripletlab.sweeping.jobs import Began, Died, Epoch, Event, Job, Waits, Work, perform
from tripletlab.sweeping.leases import Lease, leases, visible_gpus
from tripletlab.system.interrupts import every_interrupt_heard, interrupts_held, stop
from tripletlab.system.processor import visible_cores

SECONDS_TO_END = 20.0  # seconds that a worker has to end its run when the sweep is stopped
JOBS = 50  # of a process: libraries keep a few MB of every network, and only its end frees them


@dataclass
class _WorkerProcess:
    lease: Lease
    process: BaseProcess
    pipe: Connection
    job: int | None = None
    jobs_done: int = 0


class Local:
    """Target of conf/engine/local: `workers` processes on this machine.

    A process is spawned for its first job, stays warm, and is replaced after JOBS of them. When it
    dies its pipe closes, and the driver knows at once. When the driver dies the processes end
    themselves.
    """

    def __init__(
        self,
        *,
        workers: Annotated[int, Field(ge=1, le=256)],
        gpus: Annotated[float, Field(gt=0)],
    ) -> None:
        self.workers = workers
        self.leases = leases(workers, cores=visible_cores(), gpus=visible_gpus(), share=gpus)
        self.processes: list[_WorkerProcess | None] = [None for _ in self.leases]
        self.work: Work | None = None

    def open(self, work: Work) -> None:
        """Jobs are done by `work` from now on."""
        self.work = work

    def start(self, job: Job) -> None:
        """Give a job to a free worker."""
        place = next(i for i, one in enumerate(self.processes) if one is None or one.job is None)
        worker = self.processes[place] = self.processes[place] or self._spawn(self.leases[place])
        worker.job = job.number
        with contextlib.suppress(OSError):  # dead before it began: `events` reports it
            worker.pipe.send(job)

    def events(self) -> list[tuple[int, Event]]:
        """The events since the last call; waits up to a second."""
        busy = [one for one in self.processes if one is not None and one.job is not None]
        ready = wait([one.pipe for one in busy], timeout=1.0)
        return [event for one in busy if one.pipe in ready for event in self._received(one)]

    def reply(self, number: int, reason: str | None) -> None:
        """Reply to an Epoch: the reason to stop, or None."""
        worker = next(one for one in self.processes if one is not None and one.job == number)
        with contextlib.suppress(OSError):
            worker.pipe.send(reason)

    def stop(self) -> None:
        """Send SIGTERM, on which a worker ends its run, and SIGKILL when that takes too long."""
        there = [one for one in self.processes if one is not None]
        for one in there:
            one.process.terminate()
        for one in there:
            one.process.join(SECONDS_TO_END)
            one.process.kill()
            one.process.join()
        self.processes = [None for _ in self.leases]

    def _received(self, worker: _WorkerProcess) -> Iterator[tuple[int, Event]]:
        number = worker.job
        assert number is not None
        try:
            event: Event = worker.pipe.recv()
        except Exception:  # the pipe closed, perhaps in the middle of a message
            worker.process.join()
            code = worker.process.exitcode or 0
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self.processes[self.processes.index(worker)] = None
            yield number, Died(f"worker ended by {how}")
            return
        if not isinstance(event, Began | Epoch | Waits):
            worker.job = None
            worker.jobs_done += 1
            if worker.jobs_done == JOBS:
                worker.pipe.close()  # on which the process ends
                self.processes[self.processes.index(worker)] = None
        yield number, event

    def _spawn(self, lease: Lease) -> _WorkerProcess:
        # NumPy's own threads would compete with the backend's, and wait for themselves for ever
        # where memory is too short for them
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        spawning = multiprocessing.get_context("spawn")
        ours, theirs = spawning.Pipe()
        process = spawning.Process(target=_serve, args=(self.work, lease, theirs), daemon=True)
        with interrupts_held():  # until the worker ignores them
            process.start()
        theirs.close()  # only the worker holds its end now, which closes when it dies
        return _WorkerProcess(lease, process, ours)


def _serve(work: Work, lease: Lease, pipe: Connection) -> None:
    """What a worker process does: one job after the other."""
    lease.take()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver, which ends the workers
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=_end_with_the_driver, daemon=True).start()

    sending = threading.Lock()  # lines about a wait come from threads of their own

    def send(event: Event) -> str | None:
        with sending:
            pipe.send(event)
        return pipe.recv() if isinstance(event, Epoch) else None

    with (
        contextlib.suppress(EOFError, KeyboardInterrupt),
        every_interrupt_heard(signal.SIGTERM),
    ):
        while True:
            job: Job = pipe.recv()
            pipe.send(perform(work, job, send))


def _end_with_the_driver() -> None:
    driver = multiprocessing.parent_process()
    assert driver is not None
    wait([driver.sentinel])
    os._exit(1)
