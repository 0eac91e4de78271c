"""Locks of runs at work, by which a run is known to be dead when its process is killed."""

import socket
import uuid
from dataclasses import dataclass
from pathlib import Path

from tripletlab.system.locks import abandoned, held
from tripletlab.tracking import store

HOST = "tripletlab.host"
LOCK = "tripletlab.lock"  # the name of the file that the run's process holds
UNUSED = 24 * 3600.0  # seconds


@dataclass(frozen=True)
class RunLocks:
    """The locks in a folder, one for each run at work; tags of a run name its host and lock."""

    folder: Path

    def of(self, run_id: str | None) -> Path:
        """The lock of an existing run, or of a new one."""
        tags = store.client().get_run(run_id).data.tags if run_id else {}
        return self.folder / str(tags.get(LOCK, uuid.uuid4().hex))

    @staticmethod
    def tags(lock: Path) -> dict[str, str]:
        """The tags by which `close_dead` finds the run."""
        return {HOST: socket.gethostname(), LOCK: lock.name}

    def any_held(self) -> bool:
        """Whether a run is at work."""
        for lock in self.folder.glob("?" * 32):
            with held(lock) as free:
                if not free:
                    return True
        return False

    def close_dead(self, experiment: str) -> None:
        """End the runs of this host whose lock is free: a killed process cannot end its own.

        Locks of processes that were killed before their run began are deleted after a day.
        """
        client = store.client()
        found = client.get_experiment_by_name(experiment)
        running = client.search_runs([found.experiment_id], "attributes.status = 'RUNNING'")
        locks = {run.data.tags.get(LOCK, run.info.run_id) for run in running}
        for lock in abandoned(self.folder.glob("*"), age=UNUSED):
            if lock.name not in locks:
                lock.unlink(missing_ok=True)
        for run in running:
            if run.data.tags.get(HOST) != socket.gethostname():
                continue
            lock = self.folder / run.data.tags.get(LOCK, run.info.run_id)
            with held(lock) as free:
                if free and client.get_run(run.info.run_id).info.status == "RUNNING":
                    client.set_terminated(run.info.run_id, "KILLED")
                if free:
                    lock.unlink(missing_ok=True)
