"""What the driver and a worker exchange: a job one way, events the other."""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tripletlab.errors import Pruned
from tripletlab.system.interrupts import stopped
from tripletlab.system.redaction import redact_tracebacks, redacted
from tripletlab.system.temporary_files import temporary_files


class Job(NamedTuple):
    """A trial, as a worker receives it."""

    number: int
    name: str
    config: Any  # the trial's RunConfig, pickled: the worker chooses when to import what it needs
    run_id: str | None  # of the MLflow run to go on with
    checkpoint: Path  # where the fit keeps its last epoch, and goes on from
    log: Path  # everything that the trial prints
    epochs: int  # at most
    parent: str | None = None  # the MLflow run that this one is nested in


class Began(NamedTuple):
    """The trial has an MLflow run."""

    run_id: str


class Epoch(NamedTuple):
    """An epoch ended; the worker waits for the reply, the reason to stop or None."""

    epoch: int
    metrics: dict[str, float]


class Waits(NamedTuple):
    """The worker waits for the tracking store, or no longer; `line` says so."""

    line: str


class Done(NamedTuple):
    """The trial ended well."""

    metrics: dict[str, float]


class Stopped(NamedTuple):
    """The trial was ended early: it was pruned, or it diverged or collapsed."""

    reason: str


class Failed(NamedTuple):
    """The trial raised an error."""

    error: str


class Died(NamedTuple):
    """The worker died during the trial."""

    how: str


Event = Began | Epoch | Waits | Done | Stopped | Failed | Died


class Reporter:
    """Reports a job's events while it runs; `send` takes an event and returns the reply."""

    def __init__(self, send: Callable[[Event], str | None]) -> None:
        self.send = send

    def began(self, run_id: str) -> None:
        """The trial has an MLflow run."""
        self.send(Began(run_id))

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch ended; raises Pruned where the driver replies with a reason to stop."""
        if reason := self.send(Epoch(epoch, dict(metrics))):
            raise Pruned(reason)

    def waits(self, line: str) -> None:
        """The worker waits for the tracking store, or no longer, as the line says."""
        self.send(Waits(line))


# Runs a job and returns its final metrics; Pruned or FloatingPointError end it early
Work = Callable[[Job, Reporter], dict[str, float]]


class Engine(Protocol):
    """Workers somewhere, each warm for the next job."""

    workers: int  # how many jobs run at once

    def open(self, work: Work) -> None:
        """Jobs are done by `work` from now on; it is pickled."""

    def start(self, job: Job) -> None:
        """Give a job to a free worker."""

    def events(self) -> list[tuple[int, Event]]:
        """The events since the last call, with the numbers of their jobs; waits up to a second.

        After Done, Stopped, Failed or Died the job's worker is free again.
        """

    def reply(self, number: int, reason: str | None) -> None:
        """Reply to an Epoch: the reason to stop, or None."""

    def stop(self) -> None:
        """End the workers; running jobs end their MLflow runs."""


def perform(work: Work, job: Job, send: Callable[[Event], str | None]) -> Event:
    """Do a job with all its output in its log; returns how it ended."""
    redact_tracebacks()  # those of other threads
    with _printed_to(job.log):
        try:
            with temporary_files():
                return Done(work(job, Reporter(send)))
        except (Pruned, FloatingPointError) as end:
            return Stopped(str(end))
        except Exception as error:
            if stopped():
                raise KeyboardInterrupt from error
            print(redacted(traceback.format_exc()), file=sys.stderr)
            reason = " ".join(redacted(str(error)).split())[:500]
            return Failed(f"{type(error).__name__}: {reason}")


@contextlib.contextmanager
def _printed_to(path: Path) -> Iterator[None]:
    """Append stdout and stderr to a file, also what C libraries write to them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    saved = os.dup(1), os.dup(2)
    with path.open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, old in zip((1, 2), saved, strict=True):
            os.dup2(old, stream)
            os.close(old)
