"""A run that is being written to MLflow."""

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripletlab.errors import InputError, Pruned
from tripletlab.system.progress import say
from tripletlab.system.redaction import redacted
from tripletlab.tracking import store

if TYPE_CHECKING:
    import keras

ENDING = 10.0  # seconds that an interrupted run waits for the store to record its end
LONGEST = 6000  # characters of a parameter, MLflow's limit


@dataclass(frozen=True)
class TrackedRun:
    """A run that is being written, by its id."""

    run_id: str

    @classmethod
    def begin(
        cls, name: str, *, tags: Mapping[str, str], parent: str | None, resume: str | None
    ) -> "TrackedRun":
        """Begin a run, nested in `parent`, or continue the run with the id `resume`."""
        import mlflow

        run = store.patiently(
            lambda: mlflow.start_run(
                run_id=resume,
                run_name=name,
                nested=parent is not None,
                parent_run_id=parent,
                tags={key: redacted(value) for key, value in tags.items()},
            )
        )
        return cls(run.info.run_id)

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """End the run FINISHED, or FAILED by an exception, or KILLED by Ctrl-C or Pruned."""
        status = "FAILED"
        try:
            yield
            status = "FINISHED"
        except Pruned as reason:
            status = "KILLED"
            self.tag("pruned", str(reason))
            raise
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        finally:
            self._end(status)

    def _end(self, status: str) -> None:
        """End the run; a finished one waits for the store as long as it takes.

        An interrupted one does not: the next command closes it, since its lock is free.
        """
        import mlflow

        limit = float("inf") if status == "FINISHED" else ENDING
        try:
            store.patiently(
                lambda: store.mlflow_client().set_terminated(self.run_id, status), limit=limit
            )
        except InputError as error:
            say(f"the run {self.run_id} stays open until the next command: {error}")
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
        """Log metrics; `step` is the epoch, from 1."""
        import mlflow

        store.patiently(lambda: mlflow.log_metrics(dict(metrics), step=step, run_id=self.run_id))

    def tag(self, key: str, value: str) -> None:
        """Set a tag of the run."""
        store.client().set_tag(self.run_id, key, redacted(value))

    def dataset(self, file: Path, *, title: str, fingerprint: str, role: str) -> None:
        """Record a file of faces as an input of the run, with the JSON that lies beside it."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        card = file.with_suffix(".json")
        dataset = Dataset(
            name=title,
            digest=fingerprint[:32],
            source_type="local",
            source=json.dumps({"uri": str(file)}),
            profile=card.read_text() if card.is_file() else None,
        )
        tags = [InputTag("mlflow.data.context", role)]
        store.client().log_inputs(self.run_id, [DatasetInput(dataset=dataset, tags=tags)])

    def files(self, folder: Path, *, under: str | None = None) -> None:
        """Log every file of a folder as an artifact, in the run's folder `under`."""
        store.client().log_artifacts(self.run_id, str(folder), under)

    def model(self, embedder: "keras.Model", *, registered_as: str) -> str:
        """Log the network with its signature, register it, return the version.

        A continued run whose network is registered already keeps that version.
        """
        return store.patiently(lambda: self._register(embedder, registered_as))

    def _register(self, embedder: "keras.Model", registered_as: str) -> str:
        import mlflow.keras
        import numpy as np
        from mlflow.models import ModelSignature
        from mlflow.types import Schema, TensorSpec

        there = mlflow.MlflowClient().search_model_versions(
            f"name = '{registered_as}' and run_id = '{self.run_id}'"
        )
        if there:
            return str(there[0].version)

        def tensor(shape: tuple[Any, ...]) -> Schema:
            return Schema([TensorSpec(np.dtype(np.float32), (-1, *shape[1:]))])

        needs = [f"{package}=={version(package)}" for package in ("keras", "tensorflow", "numpy")]
        signature = ModelSignature(tensor(embedder.input_shape), tensor(embedder.output_shape))
        with contextlib.redirect_stderr(io.StringIO()):  # notes that would cut through the bar
            info = mlflow.keras.log_model(
                embedder,
                name="embedder",
                signature=signature,
                pip_requirements=needs,
                registered_model_name=registered_as,
            )
        return str(info.registered_model_version)
