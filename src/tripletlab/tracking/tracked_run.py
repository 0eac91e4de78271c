"""A run that is being written to MLflow."""

import contextlib
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripletlab.errors import InputError, Pruned
from tripletlab.system.interrupts import stopped
from tripletlab.system.progress import say
from tripletlab.system.redaction import redacted
from tripletlab.tracking import store
from tripletlab.tracking.logged_network import log_network
from tripletlab.tracking.metric_queue import MetricQueue
from tripletlab.tracking.run_locks import LOCK

if TYPE_CHECKING:
    import keras

ENDING = 10.0  # seconds that an interrupted run waits for the store to record its end
NOTE = "mlflow.note.content"  # the tag that MLflow's page shows as the description, in Markdown
LONGEST = 6000  # characters of a parameter, MLflow's limit
LONGEST_NAME, LONGEST_TITLE = 250, 500  # of a run and of a dataset: many folders make long ones


@dataclass(frozen=True)
class TrackedRun:
    """A run that is being written, by its id.

    Without a `queue`, metrics are written at once.
    """

    run_id: str
    queue: MetricQueue | None = field(default=None, compare=False, repr=False)

    @classmethod
    def begin(
        cls,
        name: str,
        *,
        tags: Mapping[str, str],
        parent: str | None,
        resume: str | None,
        system_metrics: bool = False,
    ) -> "TrackedRun":
        """Begin a run, nested in `parent`, or continue the run with the id `resume`.

        Where a server broke off before it answered, the run may be there: it is found by its tags.
        """
        import mlflow

        attempts = itertools.count()
        run = store.patiently(
            lambda: mlflow.start_run(
                run_id=resume or (_begun(tags) if next(attempts) else None),
                run_name=name[:LONGEST_NAME],
                nested=parent is not None,
                parent_run_id=parent,
                tags={key: redacted(value) for key, value in tags.items()},
                log_system_metrics=system_metrics,
            )
        )
        return cls(run.info.run_id, MetricQueue(run.info.run_id))

    @contextlib.contextmanager
    def ending(self, lock: Path) -> Iterator[None]:
        """End the run FINISHED, or FAILED by an exception, or KILLED by Ctrl-C or Pruned.

        All metrics are written before. The run's lock is deleted once its end is recorded.
        """
        status = "FAILED"
        try:
            yield
            self._flush()
            status = "FINISHED"
        except Pruned as reason:
            status = "KILLED"
            self.tag("pruned", str(reason))
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) or stopped():
                status = "KILLED"
            raise
        finally:
            self._end(status, lock)

    def _flush(self, *, limit: float | None = None) -> None:
        if self.queue:
            self.queue.flush(limit=limit)

    def _end(self, status: str, lock: Path) -> None:
        """End the run; a finished one waits for the store as long as it takes.

        An interrupted one does not: the next command closes it, since its lock is there, and free.
        """
        import mlflow

        limit = float("inf") if status == "FINISHED" else time.monotonic() + ENDING
        try:
            if status != "FINISHED":
                self._flush(limit=ENDING)
            store.patiently(
                lambda: store.mlflow_client().set_terminated(self.run_id, status),
                limit=limit - time.monotonic(),
            )
            lock.unlink(missing_ok=True)
        except InputError as error:
            say(f"the run {self.run_id} stays open until the next command: {error}")
        finally:
            with contextlib.suppress(Exception):  # ended already; this takes it off MLflow's stack
                mlflow.end_run(status)

    def params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; a continued run keeps those it has, for MLflow refuses another value."""
        import mlflow

        known = store.client().get_run(self.run_id).data.params
        new = {
            key: redacted(str(value))[:LONGEST] for key, value in params.items() if key not in known
        }
        store.patiently(lambda: mlflow.log_params(new, run_id=self.run_id))

    def metrics(self, metrics: Mapping[str, float], *, step: int | None = None) -> None:
        """Log metrics, in the background while the run goes on; `step` is the epoch, from 1."""
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000  # a repeated request then writes nothing twice
        values = [Metric(name, float(value), now, step or 0) for name, value in metrics.items()]
        if self.queue:
            self.queue.add(values)
        else:
            store.client().log_batch(self.run_id, values)

    def complete_metrics(self, epochs: Sequence[Mapping[str, float]]) -> None:
        """Log those of these epochs, the first is 1, that a killed process has not written."""
        if epochs:
            points = store.client().get_metric_history(self.run_id, next(iter(epochs[0])))
            written = {point.step for point in points}
            for step, metrics in enumerate(epochs, start=1):
                if step not in written:
                    self.metrics(metrics, step=step)

    def tag(self, key: str, value: str) -> None:
        """Set a tag of the run."""
        store.client().set_tag(self.run_id, key, redacted(value))

    def note(self, text: str) -> None:
        """Set the description that MLflow's page shows, in Markdown."""
        self.tag(NOTE, text)

    def dataset(self, file: Path, *, title: str, fingerprint: str, role: str) -> None:
        """Record a file of faces as an input of the run, with the JSON that lies beside it."""
        from mlflow.entities import Dataset, DatasetInput, InputTag
        from mlflow.exceptions import MlflowException

        card = file.with_suffix(".json")
        dataset = Dataset(
            name=title[:LONGEST_TITLE],
            digest=fingerprint[:32],
            source_type="local",
            source=json.dumps({"uri": str(file)}),
            profile=card.read_text("utf-8") if card.is_file() else None,
        )
        tags = [InputTag("mlflow.data.context", role)]
        inputs = [DatasetInput(dataset=dataset, tags=tags)]
        try:
            store.client().log_inputs(self.run_id, inputs)
        except (InputError, MlflowException):  # another worker was the first to record this file
            store.client().log_inputs(self.run_id, inputs)

    def files(self, folder: Path, *, under: str | None = None) -> None:
        """Log every file of a folder as an artifact, in the run's folder `under`."""
        store.client().log_artifacts(self.run_id, str(folder), under)

    def model(self, embedder: "keras.Model") -> None:
        """Log the network with its signature and an example of its input; register nothing.

        A continued run that has logged its network already keeps that.
        """
        self._flush()  # MLflow gives the run's metrics to the model
        store.patiently(lambda: log_network(embedder, run_id=self.run_id))


def _begun(tags: Mapping[str, str]) -> str | None:
    """The id of the run with the lock of these tags; None where there is none."""
    import mlflow

    own = f"tags.`{LOCK}` = '{tags[LOCK]}'"
    found = mlflow.search_runs(filter_string=own, max_results=1, output_format="list")
    return str(found[0].info.run_id) if found else None
