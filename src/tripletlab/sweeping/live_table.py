"""The display of a running sweep: a live table on a terminal, else a line for each trial."""

import math
import time
from dataclasses import dataclass
from types import TracebackType

from rich.console import RenderableType
from rich.live import Live
from rich.table import Table

from tripletlab.evaluation.metrics import describe
from tripletlab.sweeping.jobs import Job
from tripletlab.sweeping.spaces import MONITORED
from tripletlab.sweeping.study import Study
from tripletlab.system.progress import console, say


@dataclass
class _Row:
    """A running trial."""

    job: Job
    began: float
    epoch: int = 0
    score: float = math.nan  # of its last epoch

    def time(self) -> str:
        """How long it has run."""
        return _clock(time.monotonic() - self.began)


class LiveTable:
    """Running trials with their epoch and score, how many are done, and the time left.

    The time left is estimated by trials, of which the running ones have done the share of their
    epochs; a trial that ended early counts as a whole one.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.rows: dict[int, _Row] = {}
        self.counts = study.counts()
        self.done = 0.0  # trials, since this display began
        self.began_at = time.monotonic()
        self.live = Live(
            get_renderable=self.render, console=console(), refresh_per_second=2, transient=True
        )

    def __enter__(self) -> "LiveTable":
        self.live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.live.__exit__(kind, error, trace)
        self.counts = self.study.counts()  # points drawn again were completed without a job
        say(self._summary())

    def began(self, job: Job) -> None:
        """A worker has the job."""
        self.rows[job.number] = _Row(job, began=time.monotonic())

    def epoch(self, job: Job, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch of it ended."""
        row = self.rows[job.number]
        row.epoch, row.score = epoch, metrics[MONITORED]
        self.done += 1 / job.epochs

    def waits(self, job: Job, line: str) -> None:
        """It waits for the tracking store, or no longer, as the line says."""
        say(f"{job.name}: {line}")

    def ended(self, job: Job, how: str) -> None:
        """It is over; `how` is one line."""
        row = self.rows.pop(job.number)
        before, self.counts = self._over(), self.study.counts()
        over = self._over()
        if over > before:  # and not queued again
            self.done += 1 - row.epoch / job.epochs
        epochs = f"{row.epoch} epoch{'s' * (row.epoch != 1)}"
        say(f"{over}/{self.counts['declared']} {job.name}: {how} ({row.time()}, {epochs})")

    def render(self) -> RenderableType:
        """The table as it is now."""
        table = Table(caption=self._summary(), caption_justify="left")
        for heading in ("trial", "running", "epoch", describe(MONITORED).heading, "time"):
            table.add_column(heading, justify="left" if heading == "running" else "right")
        for number, row in self.rows.items():
            score = "–" if math.isnan(row.score) else f"{row.score:.4f}"
            epoch = f"{row.epoch}/{row.job.epochs}"
            table.add_row(str(number), row.job.name, epoch, score, row.time())
        return table

    def _summary(self) -> str:
        counts = self.counts
        parts = [f"{counts['complete']} of {counts['declared']} complete"]
        parts += [f"{counts[state]} {state}" for state in ("pruned", "failed") if counts[state]]
        spent = time.monotonic() - self.began_at
        parts.append(f"{_clock(spent)} so far")
        begun = sum(row.epoch / row.job.epochs for row in self.rows.values())
        left = counts["declared"] - self._over() - begun
        if self.done and left > 1e-9:
            parts.append(f"about {_clock(spent / self.done * left)} left")
        return ", ".join(parts)

    def _over(self) -> int:
        return sum(self.counts[state] for state in ("complete", "pruned", "failed"))


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
