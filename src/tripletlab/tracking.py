"""The one door to MLflow: runs, their metrics and files, and the registry of models."""

import contextlib
import io
import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripletlab.locks import held
from tripletlab.provenance import git_commit

if TYPE_CHECKING:
    import keras
    from mlflow import MlflowClient

HOST = "tripletlab.host"
CHAMPION = "champion"
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

    def files(self, folder: Path, *, under: str | None = None) -> None:
        """Log every file of a folder as an artifact, in the run's folder `under`."""
        import mlflow

        mlflow.log_artifacts(str(folder), artifact_path=under, run_id=self.run_id)

    def model(self, embedder: "keras.Model", *, registered_as: str) -> str:
        """Log the network with its signature, register it, return the version."""
        import mlflow.keras
        import numpy as np
        from mlflow.models import ModelSignature
        from mlflow.types import Schema, TensorSpec

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
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        import mlflow

        for noisy in ("mlflow", "alembic"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        folder = Path(self.folder).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(self.uri)
        with held(folder / "live" / "experiment"):
            if mlflow.get_experiment_by_name(self.experiment) is None:
                local = None if self.uri.startswith("http") else (folder / "artifacts").as_uri()
                mlflow.create_experiment(
                    self.experiment,
                    artifact_location=local,
                    tags={KIND: "custom_model_development"},
                )
        mlflow.set_experiment(self.experiment)
        self._close_dead_runs()

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
        """A run that ends FINISHED, or FAILED by an exception, or KILLED by Ctrl-C.

        `parent` nests it; `resume` continues the run of that id instead of beginning one.
        """
        import mlflow

        own = {HOST: socket.gethostname(), "git_commit": git_commit() or "none"}
        run = mlflow.start_run(
            run_id=resume,
            run_name=name,
            nested=parent is not None,
            parent_run_id=parent,
            tags={**tags, **own},
        )
        status = "FAILED"
        try:
            with held(self._lock(run.info.run_id)):
                mlflow.log_params({key: _param(value) for key, value in params.items()})
                yield Tracked(run.info.run_id)
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        finally:
            mlflow.end_run(status)
            self._lock(run.info.run_id).unlink(missing_ok=True)

    def crown(self, model: str, *, run_id: str, metric: str) -> bool:
        """Give `champion` to the run's version of the model, unless a better one has it.

        Better is a higher `metric` in the version's own run. Says whether the run is champion now.
        """
        client = self._client()
        name = client.get_registered_model(model)
        if CHAMPION in name.aliases:
            holder = client.get_model_version_by_alias(model, CHAMPION).run_id
            if holder == run_id:
                return True
            if self.metric(holder, metric) >= self.metric(run_id, metric):
                return False
        found = client.search_model_versions(f"name = '{model}' and run_id = '{run_id}'")
        client.set_registered_model_alias(model, CHAMPION, found[0].version)
        return True

    def metric(self, run_id: str, name: str) -> float:
        """A run's last value of a metric; below every value when it has none."""
        return float(self._client().get_run(run_id).data.metrics.get(name, float("-inf")))

    def epochs(self, run_id: str) -> list[dict[str, float]]:
        """What a run reported of each epoch, from the first one."""
        client = self._client()
        reported: dict[int, dict[str, float]] = {}
        for name in client.get_run(run_id).data.metrics:
            for point in client.get_metric_history(run_id, name):
                reported.setdefault(point.step, {})[name] = point.value
        return [reported[step] for step in sorted(reported) if step > 0]

    def artifact(self, run_id: str, path: str) -> Path:
        """A local copy of a run's artifact."""
        return Path(self._client().download_artifacts(run_id, path))

    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient

        return MlflowClient()

    def _lock(self, run_id: str) -> Path:
        return Path(self.folder).resolve() / "live" / run_id

    def _close_dead_runs(self) -> None:
        """A killed process cannot end its runs; the lock that the system freed tells of them."""
        client = self._client()
        experiment = client.get_experiment_by_name(self.experiment)
        here = f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{socket.gethostname()}'"
        for run in client.search_runs([experiment.experiment_id], here):
            lock = self._lock(run.info.run_id)
            with held(lock) as free:
                if free:
                    client.set_terminated(run.info.run_id, "KILLED")
                    lock.unlink(missing_ok=True)


def serve(uri: str, *, port: int) -> None:
    """MLflow's pages on the loopback interface; they take this process's place."""
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri]
    os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", str(port)])


def _param(value: object) -> str:
    return str(value)[:6000]  # MLflow's limit
