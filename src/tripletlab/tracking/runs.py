"""The one door to MLflow: runs, their metrics and files, and the registry of models."""

import contextlib
import io
import json
import logging
import os
import socket
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripletlab.errors import Pruned
from tripletlab.system.locks import held, turn
from tripletlab.system.provenance import git_commit

if TYPE_CHECKING:
    import keras
    from mlflow import MlflowClient

HOST = "tripletlab.host"
LOCK = "tripletlab.lock"  # the file in live/ that the run's process holds
CHAMPION = "champion"
PROMOTED = "tripletlab.promoted"  # when a model was last asked for its champion, in milliseconds
# What would send runs elsewhere than the config says, or leave them unwritten for a while.
ELSEWHERE = (
    *("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_WORKSPACE"),
    *("MLFLOW_ENABLE_ASYNC_LOGGING", "MLFLOW_TRUNCATE_LONG_VALUES"),
)
KIND = "mlflow.experimentKind"  # so that the page opens on training runs


@dataclass(frozen=True)
class Tracked:
    """A run that is being written."""

    run_id: str

    def metrics(self, metrics: Mapping[str, float], *, step: int | None = None) -> None:
        """Log numbers; `step` is the epoch, from 1."""
        import mlflow

        mlflow.log_metrics(dict(metrics), step=step, run_id=self.run_id)

    def tag(self, key: str, value: str) -> None:
        """Note something about the run."""
        import mlflow

        mlflow.MlflowClient().set_tag(self.run_id, key, value)

    def dataset(self, file: Path, *, title: str, fingerprint: str, role: str) -> None:
        """Name a file of faces that the run saw, with the facts that lie beside it as JSON."""
        import mlflow
        from mlflow.entities import Dataset, DatasetInput, InputTag

        facts = file.with_suffix(".json")
        seen = Dataset(
            name=title,
            digest=fingerprint[:32],
            source_type="local",
            source=json.dumps({"uri": str(file)}),
            profile=facts.read_text() if facts.is_file() else None,
        )
        tags = [InputTag("mlflow.data.context", role)]
        mlflow.MlflowClient().log_inputs(self.run_id, [DatasetInput(dataset=seen, tags=tags)])

    def files(self, folder: Path, *, under: str | None = None) -> None:
        """Log every file of a folder as an artifact, in the run's folder `under`."""
        import mlflow

        mlflow.log_artifacts(str(folder), artifact_path=under, run_id=self.run_id)

    def model(self, embedder: "keras.Model", *, registered_as: str) -> str:
        """Log the network with its signature, register it, return the version.

        A run that had come so far before it died keeps the version that it has.
        """
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


@dataclass(frozen=True)
class Tracker:
    """Where runs are kept: target of conf/tracking.

    `uri` is a database or a server of MLflow's; artifacts lie in `folder` unless a server keeps
    them. Locks of live runs lie in `folder` too.
    """

    folder: str
    experiment: str
    uri: str

    def open(self) -> None:
        """Point MLflow here, make the experiment, and close the runs whose process has died."""
        import mlflow

        self._point_here()
        with turn(self._live / "experiment"):
            if mlflow.get_experiment_by_name(self.experiment) is None:
                local = None if self.uri.startswith("http") else (self._root / "artifacts").as_uri()
                mlflow.create_experiment(
                    self.experiment,
                    artifact_location=local,
                    tags={KIND: "custom_model_development"},
                )
        mlflow.set_experiment(self.experiment)
        self.close_dead_runs()

    def connect(self) -> None:
        """Point MLflow here, as a worker does: another process has opened it."""
        import mlflow

        self._point_here()
        mlflow.set_experiment(self.experiment)

    def _point_here(self) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        for place in ELSEWHERE:
            os.environ.pop(place, None)
        import mlflow

        for noisy in ("mlflow", "alembic"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        self._root.mkdir(parents=True, exist_ok=True)
        # SQLite lets one process write at a time; the others wait so many seconds, not its five
        waiting = "?timeout=60" if self.uri.startswith("sqlite:") and "?" not in self.uri else ""
        mlflow.set_tracking_uri(self.uri + waiting)
        mlflow.set_registry_uri(self.uri + waiting)

    @contextlib.contextmanager
    def run(
        self,
        name: str,
        *,
        params: Mapping[str, Any],
        tags: Mapping[str, str],
        parent: str | None = None,
        resume: str | None = None,
    ) -> Iterator[Tracked]:
        """A run that ends FINISHED, or FAILED by an exception, or KILLED by Ctrl-C or Pruned.

        `parent` nests it; `resume` continues the run of that id instead of beginning one.
        """
        import mlflow

        lock = self._lock(resume)
        own = {HOST: socket.gethostname(), LOCK: lock.name, "git_commit": git_commit() or "none"}
        with held(lock) as free:  # before the run is there: one without a holder counts as dead
            if not free:
                raise RuntimeError(f"another process is at work on the run {resume}")
            run = mlflow.start_run(
                run_id=resume,
                run_name=name,
                nested=parent is not None,
                parent_run_id=parent,
                tags={**tags, **own},
            )
            status = "FAILED"
            try:
                known = run.data.params  # of a run that goes on; MLflow refuses another value
                new = {key: _param(value) for key, value in params.items() if key not in known}
                mlflow.log_params(new)
                yield Tracked(run.info.run_id)
                status = "FINISHED"
            except Pruned as reason:
                status = "KILLED"
                Tracked(run.info.run_id).tag("pruned", str(reason))
                raise
            except KeyboardInterrupt:
                status = "KILLED"
                raise
            finally:
                mlflow.end_run(status)
                lock.unlink(missing_ok=True)

    def close_dead_runs(self) -> None:
        """A killed process cannot end its runs; the locks that the system freed tell of them."""
        client = self._client()
        experiment = client.get_experiment_by_name(self.experiment)
        here = f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{socket.gethostname()}'"
        for run in client.search_runs([experiment.experiment_id], here):
            lock = self._live / run.data.tags.get(LOCK, run.info.run_id)
            with held(lock) as free:
                if free and client.get_run(run.info.run_id).info.status == "RUNNING":
                    client.set_terminated(run.info.run_id, "KILLED")
                if free:
                    lock.unlink(missing_ok=True)

    def crown(self, model: str, *, run_id: str, metric: str) -> bool:
        """Give `champion` to the run's version of the model, unless a better one has it.

        Better is a higher `metric` in the version's own run. Says whether the run is champion now.
        """
        client = self._client()
        name = client.get_registered_model(model)
        client.set_registered_model_tag(model, PROMOTED, str(time.time_ns() // 1_000_000))
        if CHAMPION in name.aliases:
            holder = client.get_model_version_by_alias(model, CHAMPION).run_id
            if holder == run_id:
                return True
            if self.metric(holder, metric) >= self.metric(run_id, metric):
                return False
        found = client.search_model_versions(f"name = '{model}' and run_id = '{run_id}'")
        client.set_registered_model_alias(model, CHAMPION, found[0].version)
        return True

    def end(self, run_id: str, *, status: str, tags: Mapping[str, str]) -> None:
        """Close the run of a process that is known to be gone, if that is open; say why in tags."""
        client = self._client()
        if client.get_run(run_id).info.status != "RUNNING":
            return
        for key, value in tags.items():
            client.set_tag(run_id, key, value)
        client.set_terminated(run_id, status)

    def metric(self, run_id: str, name: str) -> float:
        """A run's last value of a metric; below every value when it has none."""
        return float(self._client().get_run(run_id).data.metrics.get(name, float("-inf")))

    def epochs(self, run_id: str) -> list[dict[str, float]]:
        """What a run reported of each epoch, from the first one."""
        reported: dict[int, dict[str, float]] = {}
        for name in self._client().get_run(run_id).data.metrics:
            for step, value in self.history(run_id, name):
                reported.setdefault(step, {})[name] = value
        return [reported[step] for step in sorted(reported) if step > 0]

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """A run's values of a metric by epoch; of an epoch that was done twice the last."""
        points = self._client().get_metric_history(run_id, metric)
        return sorted({point.step: point.value for point in points}.items())

    def has(self, run_id: str, path: str) -> bool:
        """The run has this artifact at its top."""
        return any(one.path == path for one in self._client().list_artifacts(run_id))

    def artifact(self, run_id: str, path: str) -> Path:
        """A local copy of a run's artifact."""
        return Path(self._client().download_artifacts(run_id, path))

    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient

        return MlflowClient()

    @property
    def _root(self) -> Path:
        return Path(self.folder).resolve()

    @property
    def _live(self) -> Path:
        return self._root / "live"

    def _lock(self, run_id: str | None) -> Path:
        """The lock of a run that is there, or of one that is about to begin."""
        known = self._client().get_run(run_id).data.tags if run_id else {}
        return self._live / str(known.get(LOCK, uuid.uuid4().hex))


def serve(uri: str, *, port: int) -> None:
    """MLflow's pages on the loopback interface; they take this process's place."""
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri]
    os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", str(port)])


def _param(value: object) -> str:
    return str(value)[:6000]  # MLflow's limit
