"""What a slow MLflow server costs a training: the wait for it, as a share of the steps' time.

    python -m benchmarks.load_server FOLDER

A real `tripletlab train` logs to a real server, behind a proxy that delays each request. The time
that the training's thread spends on logging an epoch is compared with that of its steps, because
other work on the machine slows both alike. FOLDER keeps the prepared photos.
"""

import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.servers import cluster_example
from tests.torture.proxy import Proxy
from tripletlab.cli import main as tripletlab
from tripletlab.tracking.tracked_run import TrackedRun
from tripletlab.training import backend

DELAYS = (0.0, 0.05, 0.2)  # seconds
WORDS = [
    *("photos.people=24", "photos.photos=10", "verification.people=60", "verification.per_fold=4"),
    *("architecture=simple_cnn", "architecture.width=0.25", "batches.people=4", "batches.photos=4"),
    *("batches.steps=20", "fit.epochs=4", "fit.patience=4", "tracking=server"),
]


def main(folder: Path) -> None:
    """Train once for each delay, and print a line of each."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    backend.load()
    with (
        tempfile.TemporaryDirectory() as scratch,
        cluster_example().mlflow_server(f"sqlite:///{scratch}", Path(scratch) / "files") as url,
        Proxy(int(url.rpartition(":")[2])) as proxy,
    ):
        print("| delay | steps | logging of epochs | share | requests an epoch | of the run |")
        for delay in DELAYS:
            proxy.delay = (lambda seconds=delay: seconds) if delay else None
            print(line(delay, [*WORDS, f"tracking.uri={proxy.url}", "--fresh"]), flush=True)


def line(delay: float, words: list[str]) -> str:
    """Train; a line of the table."""
    with measured() as (seconds, counts):
        code = tripletlab(["train", *words])
    assert code == 0, code
    return (
        f"| {delay * 1000:.0f} ms | {seconds['steps']:.2f} s | {seconds['logging']:.3f} s"
        f" | {seconds['logging'] / seconds['steps']:.1%}"
        f" | {counts['logging'] / counts['epochs']:.1f} | {counts['all']} |"
    )


@contextmanager
def measured() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """Seconds of the steps and of logging, and numbers of requests and epochs, in the block."""
    from tripletlab.training import callbacks

    seconds: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    logging: set[int] = set()  # the thread that logs an epoch

    def timed_metrics(call: Callable[..., None]) -> Callable[..., None]:
        def metrics(*args: Any, step: int | None = None, **known: Any) -> None:
            if step is None:
                return call(*args, **known)
            began = time.perf_counter()
            logging.add(threading.get_ident())
            call(*args, step=step, **known)
            logging.clear()
            seconds["logging"] += time.perf_counter() - began
            counts["epochs"] += 1

        return metrics

    def counted_request(call: Callable[..., Any]) -> Callable[..., Any]:
        def request(*args: Any, **known: Any) -> Any:
            counts["all"] += 1
            counts["logging"] += threading.get_ident() in logging
            return call(*args, **known)

        return request

    def timed_epoch(call: Callable[..., None]) -> Callable[..., None]:
        def on_epoch_end(own: Any, *args: Any) -> None:
            seconds["steps"] += time.perf_counter() - own.started
            call(own, *args)

        return on_epoch_end

    patched = [
        (TrackedRun, "metrics", timed_metrics),
        (requests.Session, "request", counted_request),
        (callbacks.ValidationCallback, "on_epoch_end", timed_epoch),
    ]
    kept = [getattr(owner, name) for owner, name, _ in patched]
    for (owner, name, wrap), call in zip(patched, kept, strict=True):
        setattr(owner, name, wrap(call))
    try:
        yield seconds, counts
    finally:
        for (owner, name, _), call in zip(patched, kept, strict=True):
            setattr(owner, name, call)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
