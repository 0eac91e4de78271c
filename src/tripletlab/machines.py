"""Whose cores the preparation uses: targets of conf/machines."""

import contextlib
import re
import socket
from collections.abc import Iterator

from tripletlab.errors import InputError
from tripletlab.progress import workers


@contextlib.contextmanager
def local() -> Iterator[None]:
    """This machine's."""
    yield


@contextlib.contextmanager
def cluster(*, address: str) -> Iterator[None]:
    """Those of every machine of a Ray cluster, which see the same photos at the same paths.

    InputError where Ray is not installed, or no cluster is at the address.
    """
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise InputError("machines=ray needs Ray: pip install 'tripletlab[cluster]'") from error
    look_for(address, key="machines.address")
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"machines.address={address}: no Ray cluster there ({reason}); start one with"
            " `ray start --head`, and `ray start --address=HOST:6379` on the other machines"
        ) from error
    register_ray()
    try:
        with workers(backend="ray", n_jobs=int(ray.cluster_resources()["CPU"])):
            yield
    finally:
        ray.shutdown()


def look_for(address: str | None, *, key: str) -> None:
    """InputError where nothing listens at HOST:PORT; Ray asks for minutes before it says so."""
    place = re.fullmatch(r"([^/:]+):(\d+)", address or "")
    if place is None:  # none, auto, local or ray://…
        return
    try:
        socket.create_connection((place[1], int(place[2])), timeout=10).close()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{key}={address}: no Ray cluster there ({reason})") from error
