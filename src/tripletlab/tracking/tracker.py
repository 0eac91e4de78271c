"""Where runs are kept: opened, read and written."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tripletlab.errors import InputError, NoRuns
from tripletlab.system.databases import sqlite_file, temporary_copy
from tripletlab.system.locks import held, turn
from tripletlab.system.progress import say
from tripletlab.system.provenance import git_commit
from tripletlab.system.redaction import redacted
from tripletlab.tracking import new_database, store
from tripletlab.tracking.bundle_registry import BundleRegistry
from tripletlab.tracking.past_runs import PastRuns
from tripletlab.tracking.registry import ModelRegistry
from tripletlab.tracking.relocation import ARTIFACTS, move_paths, recorded_folder
from tripletlab.tracking.run_locks import RunLocks
from tripletlab.tracking.servers import serve_pages
from tripletlab.tracking.tracked_run import TrackedRun

KIND = "mlflow.experimentKind"  # so that the page opens on training runs


@dataclass(frozen=True)
class Tracker:
    """Where runs are kept: target of conf/tracking.

    `uri` is a database or a server of MLflow's; artifacts lie in `folder` unless a server keeps
    them. Locks of runs at work lie in `folder` too. With `system_metrics`, runs log the use of the
    processor, the memory, the disk, the network and GPUs while they go on.
    """

    folder: str
    experiment: str
    uri: str
    system_metrics: bool = False

    def open(self) -> None:
        """Point MLflow here, make the experiment, and close the runs whose process has died.

        InputError where the store cannot be reached, read or written.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"tracking.folder={self.folder}: {error.strerror}") from error
        self.require_writable("runs are kept there")
        with turn(self._live / "experiment"):
            store.point_to(store.absolute(self.uri))
            new_database.make(self.uri)
            store.check(store.absolute(self.uri))
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
        """Point MLflow here to read, also from a read-only folder. Nothing is created.

        NoRuns where there are none; InputError where the store cannot be reached or read.
        """
        uri, database = self.uri, sqlite_file(self.uri)
        if database and not database.is_file():
            raise NoRuns(
                f"no runs are here: there is no {database}; work in the folder of the project, or"
                " give tracking.folder=FOLDER"
            )
        if database and not self.writable:
            uri = f"sqlite:///{temporary_copy(database)}"
        self._point_to(uri)
        alone = self.writable and self._root.is_dir()
        with turn(self._live / "experiment") if alone else contextlib.nullcontext():
            self._follow_move(uri)
        if store.client().get_experiment_by_name(self.experiment) is None:
            found = [one.name for one in store.client().search_experiments(max_results=4)]
            raise NoRuns(
                f"no runs are here: {redacted(self.uri)} has no experiment {self.experiment}; there"
                f" are {', '.join(found)} (tracking.experiment=NAME)"
            )
        self._enter()

    def connect(self) -> None:
        """Point MLflow here in a worker, after another process has opened it."""
        self._point_to(self.uri)
        self._enter()

    @property
    def runs(self) -> PastRuns:
        """What runs have recorded."""
        return PastRuns(self.experiment)

    @property
    def models(self) -> ModelRegistry:
        """The registry of networks."""
        return ModelRegistry(self.uri, self.runs)

    @property
    def bundles(self) -> BundleRegistry:
        """The registry of exported bundles."""
        return BundleRegistry(self.uri)

    def serve_pages(self, *, host: str, port: int) -> None:
        """Serve MLflow's pages on an interface until it is stopped.

        Opens the runs of the latest sweep, or all where there is none. InputError where the port
        cannot be had, or the server ends by itself.
        """
        serve_pages(store.absolute(self.uri), host=host, port=port, page=self.runs.page())

    @contextlib.contextmanager
    def run(
        self,
        name: str,
        *,
        params: Mapping[str, Any],
        tags: Mapping[str, str],
        parent: str | None = None,
        resume: str | None = None,
    ) -> Iterator[TrackedRun]:
        """A run that ends FINISHED, or FAILED by an exception, or KILLED by Ctrl-C or Pruned.

        `parent` nests it; `resume` continues the run of that id instead of beginning one, unless
        it was deleted. InputError where that is in another experiment.
        """
        if resume and not self.runs.exists(resume):
            say(f"the run {resume} was deleted in MLflow: {name} has a new one")
            resume = None
        if resume:
            self.runs.require_own(resume)
        parent = parent if parent and self.runs.exists(parent) else None
        lock = self._locks.of(resume)
        own = {**self._locks.tags(lock), "git_commit": git_commit() or "none"}
        with held(lock) as free:  # before the run exists: one without a holder counts as dead
            if not free:
                raise RuntimeError(f"another process is at work on the run {resume}")
            run = TrackedRun.begin(
                name,
                tags={**tags, **own},
                parent=parent,
                resume=resume,
                system_metrics=self.system_metrics,
            )
            with run.ending(lock):
                run.params(params)
                yield run

    def reopened(self, run_id: str) -> TrackedRun:
        """A finished run, to which an evaluation is added."""
        return TrackedRun(run_id)

    def close_run(self, run_id: str, how: str) -> None:
        """Close the run of a process that is known to be gone, and tag it with how that died."""
        client = store.client()
        if not self.runs.exists(run_id) or client.get_run(run_id).info.status != "RUNNING":
            return
        client.set_tag(run_id, "died", how)
        client.set_terminated(run_id, "KILLED")

    def close_dead_runs(self) -> None:
        """Close the runs of this host whose process was killed."""
        self._locks.close_dead(shared=self._served)

    def at_work_elsewhere(self, run_id: str) -> bool:
        """The run is open, and its process works in another folder with the same server."""
        status = store.client().get_run(run_id).info.status
        return self._served and status == "RUNNING" and not self._locks.of(run_id).is_file()

    @property
    def writable(self) -> bool:
        """Runs can be written: the folder, and the database where that is a file."""
        database = sqlite_file(self.uri)
        places = [self._root, *([database.parent, database] if database else [])]
        there = [next(one for one in (place, *place.parents) if one.exists()) for place in places]
        return all(os.access(place, os.W_OK, effective_ids=True) for place in there)

    def require_writable(self, advice: str) -> None:
        """InputError where runs cannot be written."""
        if not self.writable:
            raise InputError(f"tracking.folder={self.folder} is read-only: {advice}")

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
        """Make a database that was moved or copied with its folder name the files beside it.

        InputError where it lies elsewhere, or a run is at work: then nothing is changed.
        """
        if self._served:
            return
        experiments = store.client().search_experiments()
        experiments.sort(key=lambda one: (one.name != self.experiment, int(one.experiment_id)))
        before = recorded_folder([one.artifact_location for one in experiments], self._root)
        database = sqlite_file(self.uri)
        if before is None:
            return
        if database is None or not database.is_relative_to(self._root):
            raise InputError(
                f"the runs in {redacted(self.uri)} keep their files in {before}: give"
                f" tracking.folder={before}, or another tracking.uri"
            )
        if self._locks.any_held():
            raise InputError(
                f"a run is at work in {self._root}, which it knows as {before}: let it end first"
            )
        file = sqlite_file(uri)
        assert file is not None
        move_paths(file, before, self._root)

    @property
    def _served(self) -> bool:
        """A server keeps the files of the runs, too."""
        return self.uri.startswith("http")

    @property
    def _root(self) -> Path:
        return Path(self.folder).resolve()

    @property
    def _live(self) -> Path:
        return self._root / "live"

    @property
    def _locks(self) -> RunLocks:
        return RunLocks(self._live)
