"""Whose cores the preparation uses: targets of conf/machines."""

import contextlib
import re
import socket
from collections.abc import Iterator

from tripletlab.errors import InputError
from tripletlab.system.progress import workers


@contextlib.contextmanager
def local() -> Iterator[None]:
    """This machine's."""
    yield


@contextlib.contextmanager
def cluster(*, address: str) -> Iterator[None]:
    """Those of every machine of a Ray cluster, which see the same photos at the same paths.

    InputError as `connect`.
    """
    connect(address, key="machines.address")
    import ray
    from ray.util.joblib import register_ray

    register_ray()
    try:
        with workers(backend="ray", n_jobs=int(ray.cluster_resources()["CPU"])):
            yield
    finally:
        ray.shutdown()


def connect(address: str | None, *, key: str) -> None:
    """Join the Ray cluster at the address that the config's `key` gives; None: a local one.

    InputError where Ray is not installed, or no cluster is there.
    """
    try:
        import ray
    except ImportError as error:
        noun = key.partition(".")[0]
        raise InputError(f"{noun}=ray needs Ray: pip install 'tripletlab[cluster]'") from error
    try:
        look_for(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{key}={address}: no Ray cluster there ({reason}); start one with"
            " `ray start --head`, and `ray start --address=HOST:6379` on the other machines"
        ) from error


def look_for(address: str | None) -> None:
    """OSError where nothing listens at HOST:PORT; Ray itself asks for minutes before it says so."""
    place = re.fullmatch(r"([^/:]+):(\d+)", address or "")
    if place:  # else none, auto, local or ray://…
        socket.create_connection((place[1], int(place[2])), timeout=10).close()
