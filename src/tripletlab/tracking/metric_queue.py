"""Metrics on their way to MLflow: a thread writes them while the training goes on."""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tripletlab.errors import InputError
from tripletlab.tracking import store

if TYPE_CHECKING:
    from mlflow.entities import Metric

MOST = 1000  # metrics in a request, MLflow's limit


class MetricQueue:
    """Writes the metrics of a run in the order in which they were added, several in a request.

    The thread waits for a store that is away as long as it takes, and ends where nothing is left
    to write. What it cannot write, it keeps; the error is raised by the next `add` or `flush`.
    """

    def __init__(self, run_id: str) -> None:
        self._write: Callable[..., None] = lambda batch: store.client().log_batch(run_id, batch)
        self._waiting: list[Metric] = []
        self._changed, self._writing = threading.Condition(), False
        self._error: Exception | None = None

    def add(self, metrics: "Sequence[Metric]") -> None:
        """Have these written, which returns at once; raises what the last writing has raised."""
        with self._changed:
            self._raise()
            self._waiting += metrics
            if self._waiting and not self._writing:
                self._writing = True
                threading.Thread(target=self._work, name="metrics", daemon=True).start()

    def flush(self, *, limit: float | None = None) -> None:
        """Wait until all is written; raises what the writing has raised.

        InputError after `limit` seconds.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._writing, limit)
            self._raise()
            if self._writing:
                raise InputError(f"{len(self._waiting)} values of metrics could not be written")

    def _raise(self) -> None:
        if self._error:
            raise self._error

    def _work(self) -> None:
        while batch := self._next():
            try:
                self._write(batch)
            except Exception as error:  # of any kind: it belongs to the thread of the run
                self._error = error
            else:
                del self._waiting[: len(batch)]

    def _next(self) -> "list[Metric]":
        """What to write now; nothing where the thread ends."""
        with self._changed:
            batch = [] if self._error else self._waiting[:MOST]
            if not batch:
                self._writing = False
                self._changed.notify_all()
            return batch
