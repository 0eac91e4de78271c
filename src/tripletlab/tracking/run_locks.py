"""Locks of runs at work, by which a run is known to be dead when its process is killed."""

import re
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tripletlab.system.locks import abandoned, held
from tripletlab.tracking import store

HOST = "tripletlab.host"
LOCK = "tripletlab.lock"  # the name of the file that the run's process holds
NAME = r"[0-9a-f]{32}"
UNUSED = 24 * 3600.0  # seconds


@dataclass(frozen=True)
class RunLocks:
    """The locks in a folder, one for each run at work; tags of a run name its host and lock."""

    folder: Path

    def of(self, run_id: str | None) -> Path:
        """The lock of an existing run, or of a new one."""
        tags = store.client().get_run(run_id).data.tags if run_id else {}
        return self._named(tags, otherwise=uuid.uuid4().hex)

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

    def close_dead(self, *, shared: bool) -> None:
        """End the runs of this host whose lock is free: a killed process cannot end its own.

        In a store that other folders share, only those whose lock is here. Locks of processes that
        were killed before their run began are deleted after a day.
        """
        client, open_ones = store.client(), "attributes.status = 'RUNNING'"
        experiments = store.all_pages(lambda token: client.search_experiments(page_token=token))
        everywhere = [one.experiment_id for one in experiments]
        running = store.all_pages(
            lambda token: client.search_runs(everywhere, open_ones, page_token=token)
        )
        locks = [self._named(run.data.tags, otherwise=run.info.run_id) for run in running]
        for lock in abandoned(self.folder.glob("*"), age=UNUSED):
            if lock not in locks:
                lock.unlink(missing_ok=True)
        for run, lock in zip(running, locks, strict=True):
            own = run.data.tags.get(HOST) == socket.gethostname()
            if not own or (shared and not lock.is_file()):
                continue
            with held(lock) as free:
                if free and client.get_run(run.info.run_id).info.status == "RUNNING":
                    client.set_terminated(run.info.run_id, "KILLED")
                if free:
                    lock.unlink(missing_ok=True)

    def _named(self, tags: Mapping[str, str], *, otherwise: str) -> Path:
        """The lock that a run's tags name, which anybody may write: no path leads elsewhere."""
        name = tags.get(LOCK, "")
        return self.folder / (name if re.fullmatch(NAME, name) else otherwise)
