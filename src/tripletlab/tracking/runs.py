"""The one door to MLflow: runs, their metrics and files, and the registry of models."""

import atexit
import contextlib
import io
import json
import os
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tripletlab.errors import InputError, Pruned
from tripletlab.system.locks import held, turn
from tripletlab.system.progress import say
from tripletlab.system.provenance import git_commit
from tripletlab.system.redaction import redacted
from tripletlab.tracking import store
from tripletlab.tracking.relocation import ARTIFACTS, copy_database, move_paths, recorded_folder

if TYPE_CHECKING:
    import keras

HOST = "tripletlab.host"
LOCK = "tripletlab.lock"  # the file in live/ that the run's process holds
CHAMPION = "champion"
PROMOTED = "tripletlab.promoted"  # when a model was last asked for its champion, in milliseconds
ENDING = 10.0  # seconds that a run which was cut off tries to say so
KIND = "mlflow.experimentKind"  # so that the page opens on training runs


@dataclass(frozen=True)
class Tracked:
    """A run that is being written."""

    run_id: str

    def metrics(self, metrics: Mapping[str, float], *, step: int | None = None) -> None:
        """Log numbers; `step` is the epoch, from 1."""
        import mlflow

        store.patiently(lambda: mlflow.log_metrics(dict(metrics), step=step, run_id=self.run_id))

    def tag(self, key: str, value: str) -> None:
        """Note something about the run."""
        store.client().set_tag(self.run_id, key, redacted(value))

    def dataset(self, file: Path, *, title: str, fingerprint: str, role: str) -> None:
        """Name a file of faces that the run saw, with the facts that lie beside it as JSON."""
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
        store.client().log_inputs(self.run_id, [DatasetInput(dataset=seen, tags=tags)])

    def files(self, folder: Path, *, under: str | None = None) -> None:
        """Log every file of a folder as an artifact, in the run's folder `under`."""
        store.client().log_artifacts(self.run_id, str(folder), under)

    def model(self, embedder: "keras.Model", *, registered_as: str) -> str:
        """Log the network with its signature, register it, return the version.

        A run that had come so far before it died keeps the version that it has.
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


class Gone(InputError):  # noqa: N818 - named as what happened
    """A run, or something of it, was deleted in MLflow."""


class Past(NamedTuple):
    """A run that is over, or open: `status` is MLflow's."""

    run_id: str
    status: str
    metrics: Mapping[str, float]


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
        """Point MLflow here, make the experiment, and close the runs whose process has died.

        InputError where the store cannot be reached, read or written.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"tracking.folder={self.folder}: {error.strerror}") from error
        self.require_writable("runs are kept there")
        self._point_to(self.uri)
        with turn(self._live / "experiment"):
            self._follow_move(self.uri)
            client = store.client()
            if client.get_experiment_by_name(self.experiment) is None:
                local = None if self._served else (self._root / ARTIFACTS).as_uri()
                client.create_experiment(
                    self.experiment,
                    artifact_location=local,
                    tags={KIND: "custom_model_development"},
                )
        self._enter()
        self.close_dead_runs()

    def open_existing(self) -> None:
        """Point MLflow here to read; a folder that is read-only does for it. Nothing is made.

        InputError where there are no runs, or the store cannot be reached or read.
        """
        uri, database = self.uri, store.sqlite_file(self.uri)
        if database and not database.is_file():
            raise InputError(
                f"no runs are here: there is no {database}; work in the folder of the project, or"
                " give tracking.folder=FOLDER"
            )
        if database and not self.writable:
            folder = Path(tempfile.mkdtemp(prefix="tripletlab-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            copy_database(database, folder / database.name)
            uri = f"sqlite:///{folder / database.name}"
        self._point_to(uri)
        alone = self.writable and self._root.is_dir()
        with turn(self._live / "experiment") if alone else contextlib.nullcontext():
            self._follow_move(uri)
        if store.client().get_experiment_by_name(self.experiment) is None:
            raise InputError(f"no runs are here: {redacted(self.uri)} has no {self.experiment}")
        self._enter()

    def connect(self) -> None:
        """Point MLflow here, as a worker does: another process has opened it."""
        self._point_to(self.uri)
        self._enter()

    @property
    def writable(self) -> bool:
        """Runs can be written: the folder, and the database where that is a file."""
        database = store.sqlite_file(self.uri)
        places = [self._root, *([database.parent, database] if database else [])]
        there = [next(one for one in (place, *place.parents) if one.exists()) for place in places]
        return all(os.access(place, os.W_OK, effective_ids=True) for place in there)

    def require_writable(self, advice: str) -> None:
        """InputError where runs cannot be written."""
        if not self.writable:
            raise InputError(f"tracking.folder={self.folder} is read-only: {advice}")

    @property
    def _served(self) -> bool:
        """A server keeps the files of the runs, too."""
        return self.uri.startswith("http")

    def _point_to(self, uri: str) -> None:
        store.point_to(store.absolute(uri))
        store.check(store.absolute(uri))

    def _enter(self) -> None:
        import mlflow

        found = store.client().get_experiment_by_name(self.experiment)
        if found and found.lifecycle_stage == "deleted":
            raise InputError(
                f"the experiment {self.experiment} was deleted in MLflow: bring it back (mlflow"
                f" experiments restore --experiment-id {found.experiment_id}), or give"
                " tracking.experiment=NAME"
            )
        store.patiently(lambda: mlflow.set_experiment(self.experiment))

    def _follow_move(self, uri: str) -> None:
        """Have a database that was moved or copied with its folder name the files that are here.

        InputError where it lies elsewhere, or a run is at work: then nothing is changed.
        """
        if self._served:
            return
        experiments = store.client().search_experiments()
        experiments.sort(key=lambda one: (one.name != self.experiment, int(one.experiment_id)))
        before = recorded_folder([one.artifact_location for one in experiments], self._root)
        database = store.sqlite_file(self.uri)
        if before is None:
            return
        if database is None or not database.is_relative_to(self._root):
            raise InputError(
                f"the runs in {redacted(self.uri)} keep their files in {before}: give"
                f" tracking.folder={before}, or another tracking.uri"
            )
        if self._at_work():
            raise InputError(
                f"a run is at work in {self._root}, which it knows as {before}: let it end first"
            )
        file = store.sqlite_file(uri)
        assert file is not None
        move_paths(file, before, self._root)

    def _at_work(self) -> bool:
        """A process holds the lock of a run."""
        for lock in self._live.glob("?" * 32):
            with held(lock) as free:
                if not free:
                    return True
        return False

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

        `parent` nests it; `resume` continues the run of that id instead of beginning one, unless
        it was deleted.
        """
        import mlflow

        if resume and not self.is_there(resume):
            say(f"the run {resume} was deleted in MLflow: {name} has a new one")
            resume = None
        parent = parent if parent and self.is_there(parent) else None
        lock = self._lock(resume)
        own = {HOST: socket.gethostname(), LOCK: lock.name, "git_commit": git_commit() or "none"}
        with held(lock) as free:  # before the run is there: one without a holder counts as dead
            if not free:
                raise RuntimeError(f"another process is at work on the run {resume}")
            run = store.patiently(
                lambda: mlflow.start_run(
                    run_id=resume,
                    run_name=name,
                    nested=parent is not None,
                    parent_run_id=parent,
                    tags={**{key: redacted(value) for key, value in tags.items()}, **own},
                )
            )
            status = "FAILED"
            try:
                known = run.data.params  # of a run that goes on; MLflow refuses another value
                new = {key: _param(value) for key, value in params.items() if key not in known}
                store.patiently(lambda: mlflow.log_params(new, run_id=run.info.run_id))
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
                self._end_active(run.info.run_id, status)
                lock.unlink(missing_ok=True)

    def _end_active(self, run_id: str, status: str) -> None:
        """End the run as `status`; one that came to its end waits for the store until it can.

        What was interrupted does not: the next command closes it by its free lock.
        """
        import mlflow

        limit = float("inf") if status == "FINISHED" else ENDING
        try:
            store.patiently(
                lambda: store.mlflow_client().set_terminated(run_id, status), limit=limit
            )
        except InputError as error:
            say(f"the run {run_id} stays open until the next command: {error}")
        with contextlib.suppress(Exception):  # ended already; this takes it off MLflow's stack
            mlflow.end_run(status)

    def close_dead_runs(self) -> None:
        """A killed process cannot end its runs; the locks that the system freed tell of them."""
        client = store.client()
        experiment = client.get_experiment_by_name(self.experiment)
        here = f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{socket.gethostname()}'"
        for run in client.search_runs([experiment.experiment_id], here):
            lock = self._live / run.data.tags.get(LOCK, run.info.run_id)
            with held(lock) as free:
                if free and client.get_run(run.info.run_id).info.status == "RUNNING":
                    client.set_terminated(run.info.run_id, "KILLED")
                if free:
                    lock.unlink(missing_ok=True)

    def promote(self, model: str, *, run_id: str, metric: str) -> bool:
        """Give `champion` to the run's version of the model, unless a better one has it.

        Better is a higher `metric` in the version's own run. Says whether the run is champion now.
        """
        client = store.client()
        name = client.get_registered_model(model)
        found = client.search_model_versions(f"name = '{model}' and run_id = '{run_id}'")
        if not found:
            raise Gone(f"{model} has no version of the run {run_id}")
        client.set_registered_model_tag(model, PROMOTED, str(time.time_ns() // 1_000_000))
        if CHAMPION in name.aliases:
            holder = client.get_model_version_by_alias(model, CHAMPION).run_id
            if holder == run_id:
                return True
            if self.is_there(holder) and self.metric(holder, metric) >= self.metric(run_id, metric):
                return False
        client.set_registered_model_alias(model, CHAMPION, found[0].version)
        return True

    def registered_name(self, run_id: str) -> str | None:
        """The model under which the run's network is registered by now; None where it is not."""
        found = store.client().search_model_versions(f"run_id = '{run_id}'")
        return str(found[0].name) if found else None

    def is_there(self, run_id: str) -> bool:
        """The run was not deleted."""
        from mlflow.exceptions import MlflowException

        try:
            return bool(store.client().get_run(run_id).info.lifecycle_stage == "active")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False

    def tagged(self, key: str, value: str) -> Past | None:
        """The latest run that has this tag, unless it was deleted."""
        client = store.client()
        experiment = client.get_experiment_by_name(self.experiment)
        found = client.search_runs(
            [experiment.experiment_id],
            f"tags.`{key}` = '{value}'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return next((Past(r.info.run_id, r.info.status, r.data.metrics) for r in found), None)

    def end(self, run_id: str, *, status: str, tags: Mapping[str, str]) -> None:
        """Close the run of a process that is known to be gone, if that is open; say why in tags."""
        client = store.client()
        if not self.is_there(run_id) or client.get_run(run_id).info.status != "RUNNING":
            return
        for key, value in tags.items():
            client.set_tag(run_id, key, value)
        client.set_terminated(run_id, status)

    def metric(self, run_id: str, name: str) -> float:
        """A run's last value of a metric; below every value when it has none."""
        return float(store.client().get_run(run_id).data.metrics.get(name, float("-inf")))

    def epochs(self, run_id: str) -> list[dict[str, float]]:
        """What a run reported of each epoch, from the first one."""
        reported: dict[int, dict[str, float]] = {}
        for name in store.client().get_run(run_id).data.metrics:
            for step, value in self.history(run_id, name):
                reported.setdefault(step, {})[name] = value
        return [reported[step] for step in sorted(reported) if step > 0]

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """A run's values of a metric by epoch; of an epoch that was done twice the last.

        None of a run that was deleted.
        """
        if not self.is_there(run_id):
            return []
        points = store.client().get_metric_history(run_id, metric)
        return sorted({point.step: point.value for point in points}.items())

    def has(self, run_id: str, path: str) -> bool:
        """The run has this artifact at its top."""
        return any(one.path == path for one in store.client().list_artifacts(run_id))

    def artifact(self, run_id: str, path: str) -> Path:
        """A local copy of a run's artifact, which goes with the command's temporary files.

        Gone where the run, or this file of it, is not there.
        """
        from mlflow.exceptions import MlflowException

        folder = tempfile.mkdtemp(prefix="tripletlab-")
        try:
            return Path(store.client().download_artifacts(run_id, path, folder))
        except (MlflowException, FileNotFoundError) as error:
            raise Gone(f"the run {run_id} has no {path}: it was deleted in MLflow") from error

    @property
    def _root(self) -> Path:
        return Path(self.folder).resolve()

    @property
    def _live(self) -> Path:
        return self._root / "live"

    def _lock(self, run_id: str | None) -> Path:
        """The lock of a run that is there, or of one that is about to begin."""
        known = store.client().get_run(run_id).data.tags if run_id else {}
        return self._live / str(known.get(LOCK, uuid.uuid4().hex))


def _param(value: object) -> str:
    return redacted(str(value))[:6000]  # MLflow's limit
