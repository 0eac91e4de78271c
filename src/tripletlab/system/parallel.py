"""Where photos are prepared: targets of conf/preparation."""

import contextlib
import re
import socket
from collections.abc import Iterator

from tripletlab.errors import InputError
from tripletlab.system.progress import workers


@contextlib.contextmanager
def local() -> Iterator[None]:
    """On the cores of this machine."""
    yield


@contextlib.contextmanager
def cluster(*, address: str) -> Iterator[None]:
    """On all machines of a Ray cluster, which need the same photos under the same paths.

    InputError as `connect`.
    """
    connect(address, key="preparation.address")
    import ray
    from ray.util.joblib import register_ray

    register_ray()
    try:
        with workers(backend="ray", n_jobs=int(ray.cluster_resources()["CPU"])):
            yield
    finally:
        ray.shutdown()


def connect(address: str | None, *, key: str) -> None:
    """Join the Ray cluster at an address, the value of the config's `key`; None starts one here.

    InputError where Ray is not installed, or no cluster answers.
    """
    try:
        import ray
    except ImportError as error:
        noun = key.partition(".")[0]
        raise InputError(
            f"{noun}=ray needs Ray: pip install -e '.[cluster]' in tripletlab's folder"
        ) from error
    try:
        check_reachable(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{key}={address}: no Ray cluster there ({reason}); start one by"
            " `ray start --head`, and `ray start --address=HOST:6379` on the other machines"
        ) from error


def check_reachable(address: str | None) -> None:
    """OSError where nothing listens at HOST:PORT: Ray itself would try for minutes."""
    place = re.fullmatch(r"([^/:]+):(\d+)", address or "")
    if place:  # other addresses (None, auto, local, ray://…) are left to Ray
        socket.create_connection((place[1], int(place[2])), timeout=10).close()
