"""Maps over all cores, or over a Ray cluster: conf/preparation chooses between the two."""

import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

from tripletlab.errors import InputError
from tripletlab.system.processor import cores
from tripletlab.system.progress import bar

WATCH = 1.0  # seconds between two checks of a worker whether its parent is alive
Item = TypeVar("Item")
Result = TypeVar("Result")


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


_settings: ContextVar[dict[str, Any]] = ContextVar("_settings")


@contextlib.contextmanager
def workers(**settings: Any) -> Iterator[None]:
    """Give joblib.Parallel these settings (backend, n_jobs) for the maps in the block."""
    token = _settings.set(settings)
    try:
        yield
    finally:
        _settings.reset(token)


def parallel_map(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    title: str,
    size: Callable[[Item], int],
) -> list[Result]:
    """`work` on every item, over all cores: the results in the order of the items.

    The bar counts an item by its `size`.
    """
    return list(_results(work, items, title=title, size=size, return_as="generator"))


def stream(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    title: str,
    size: Callable[[Item], int],
) -> Iterator[Result]:
    """As `parallel_map`, but each result as soon as it is there.

    Only results that have not been taken yet are in memory. A backend that cannot hand them out
    one by one does so for items of a size of a thousand a worker at a time.
    """
    return _results(work, items, title=title, size=size, return_as="generator_unordered")


def _results(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    title: str,
    size: Callable[[Item], int],
    return_as: str,
) -> Iterator[Result]:
    import joblib

    settings = {"n_jobs": cores(), **_settings.get({})}
    if streams := settings.get("backend", "loky") == "loky":
        settings |= {"initializer": _end_with, "initargs": (os.getpid(),)}
    parts = [items] if streams else _parts(items, size, most=1000 * settings["n_jobs"])
    parallel = joblib.Parallel(return_as=return_as if streams else "list", **settings)
    task = joblib.delayed(_sized)
    with bar(title, total=sum(map(size, items))) as advance, parallel:
        for part in parts:
            for result, steps in parallel(task(work, item, size(item)) for item in part):
                yield result
                advance(steps)


def _parts(
    items: Sequence[Item], size: Callable[[Item], int], *, most: int
) -> Iterator[Sequence[Item]]:
    """The items in stretches, each ended by the item that brings it to the size `most`."""
    part, total = list[Item](), 0
    for item in items:
        part.append(item)
        total += size(item)
        if total >= most:
            yield part
            part, total = [], 0
    yield part


def _end_with(parent: int) -> None:
    """End this worker soon after its parent: loky's own waits for work for minutes."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _sized(work: Callable[[Item], Result], item: Item, size: int) -> tuple[Result, int]:
    return work(item), size
