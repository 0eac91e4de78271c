"""Two workers versus one, how many trials the stores take, and what a large sweep would cost."""

import functools
import heapq
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna
from bench_training import overrides, step_of
from harness import Result, dtypes, interleaved, ratios

from tripletlab import config
from tripletlab.experiment.components import build_components
from tripletlab.experiment.data import prepare
from tripletlab.sweeping.jobs import Done, Job, Reporter
from tripletlab.sweeping.local_engine import Local
from tripletlab.sweeping.plan import Plan, read_plan
from tripletlab.sweeping.storage import open_storage
from tripletlab.sweeping.study import RUN
from tripletlab.sweeping.trial_queue import TrialQueue
from tripletlab.tracking import Tracker
from tripletlab.training import backend

STEPS, FACES = 20, 128  # of a job; of a step
STUDIED, TRACKED, EPOCHS = 40, 10, 12  # trials in a store, runs in another, epochs of each
IMAGES = 12 * 50 * FACES  # of a trial with the settings of conf/train.yaml
TRIALS, WORKERS, PHOTOS, PASSES = 100, 50, 3_141_890, 10  # of a sweep on VGGFace2's training photos
PRICE = 0.04  # dollars an hour of a core; a round figure of rented machines in 2026, not measured
METRICS = {f"{kind}/{name}": 0.5 for kind in ("train", "val") for name in ("loss", "auc", "kept")}


class Steps(NamedTuple):
    """Work of a worker: steps of training on one constant batch."""

    dtype: str

    def __call__(self, job: Job, reporter: Reporter) -> dict[str, float]:
        step = _ready(self.dtype)
        for _ in range(STEPS):
            step()
        return {}


@functools.cache
def _ready(dtype: str) -> Callable[[], object]:
    """A traced step, made for the first job of a worker."""
    backend.load()
    chosen = config.compose("train", overrides(f"dtype={dtype}"))
    parts = build_components(chosen, prepare(chosen, fresh=False))
    step = step_of(parts, chosen, parts.batches[0])
    step()
    return step


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table."""
    measured = {}
    for dtype in dtypes():
        speeds, shares = _workers(dtype, min(rounds, 5))
        yield Result(f"one worker, two cores, {dtype}", "images/s", speeds)
        name = f"two workers of a core each, {dtype}: speed relative to one worker"
        yield Result(name, "×", shares, least=1.1)
        measured[dtype] = speeds
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    served: dict[str, float] = {}
    for result in _stores():
        served[result.name] = statistics.median(result.values) if result.values else np.inf
        yield result
    yield from _at_scale(measured, served)


def _workers(dtype: str, rounds: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Images a second of one worker, and how much faster two are with half of the cores each."""
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        engines = {name: Local(workers=count, gpus=1) for name, count in (("1", 1), ("2", 2))}
        for engine in engines.values():
            stack.callback(engine.stop)
            engine.open(Steps(dtype))
        ways = {
            name: lambda engine=engine: _two_jobs(engine, Path(scratch))
            for name, engine in engines.items()
        }
        spent = interleaved(ways, rounds=rounds, title=f"workers, {dtype}")
    speeds = tuple(2 * STEPS * FACES / seconds for seconds in spent["1"])
    return speeds, ratios(spent["2"], base=spent["1"])


def _two_jobs(engine: Local, folder: Path) -> None:
    """Two jobs, at once where the engine has two workers."""
    waiting, running = [0, 1], set[int]()
    while waiting or running:
        while waiting and len(running) < engine.workers:
            number = waiting.pop()
            running.add(number)
            log = folder / f"{number}.log"
            engine.start(Job(number, "steps", None, None, folder / "none", log, epochs=1))
        for number, event in engine.events():
            if not isinstance(event, Done):
                raise RuntimeError(f"{event}: {(folder / f'{number}.log').read_text()}")
            running.remove(number)


def _stores() -> Iterator[Result]:
    """Trials that a driver records a second, and runs that MLflow takes."""
    plan = read_plan(["random", f"trials={STUDIED}"])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o711)  # PostgreSQL runs as another user where this is root
        yield _studies(plan, f"sqlite:///{folder / 'optuna.db'}", "SQLite")
        yield _runs(plan, f"sqlite:///{folder / 'mlflow.db'}", folder, "MLflow on SQLite")
        names = ["Optuna on PostgreSQL: trials", "an MLflow server on PostgreSQL: runs"]
        try:
            import psycopg2  # noqa: F401
        except ImportError:
            why = "not installed: pip install -e '.[cluster]'"
            yield from (Result(name, note=why) for name in names)
            return
        sys.path.append(str(Path(__file__).parents[1] / "examples"))
        import cluster

        if not shutil.which("initdb") and not Path("/usr/lib/postgresql").exists():
            yield from (Result(name, note="PostgreSQL's programs are missing") for name in names)
            return
        with cluster.postgres(folder / "postgres") as database:
            yield _studies(plan, f"{database}/studies", "PostgreSQL")
            with cluster.mlflow_server(database, folder / "artifacts") as server:
                yield _runs(plan, server, folder, "an MLflow server on PostgreSQL")


def _studies(plan: Plan, url: str, name: str) -> Result:
    """A study whose trials train nothing, as the driver records them."""
    queue = TrialQueue.open(open_storage(url), name="speed", space=plan.space, fresh=True)
    speeds, started = [], time.perf_counter()
    while taken := queue.take():
        queue.note_trial(taken.number, RUN, "none")
        for epoch in range(EPOCHS):
            queue.report(taken.number, epoch + 1, 0.5)
        queue.complete(taken.number, dict.fromkeys(plan.space.objectives, 0.5))
        ended = time.perf_counter()
        speeds.append(1 / (ended - started))
        started = ended
    return Result(f"Optuna on {name}: trials of {EPOCHS} epochs", "a second", tuple(speeds))


def _runs(plan: Plan, uri: str, folder: Path, name: str) -> Result:
    """Runs of one process, with all parameters and the metrics of every epoch."""
    tracker = Tracker(str(folder / "runs"), "speed", uri)
    tracker.open()
    params = plan.run_config({}, None).params()
    speeds = []
    for number in range(TRACKED):
        started = time.perf_counter()
        with tracker.run(str(number), params=params, tags={}) as run:
            for epoch in range(EPOCHS):
                run.metrics(METRICS, step=epoch + 1)
        speeds.append(1 / (time.perf_counter() - started))
    return Result(f"{name}: runs of {EPOCHS} epochs", "a second", tuple(speeds))


def _at_scale(
    measured: Mapping[str, Sequence[float]], served: dict[str, float]
) -> Iterator[Result]:
    """How many workers the stores serve, and a sweep on VGGFace2, simulated; in the first dtype."""
    dtype, speeds = next(iter(measured.items()))
    seconds = IMAGES / statistics.median(speeds)
    for name, rate in served.items():
        if np.isfinite(rate):
            note = f"at {seconds:.0f} s a trial of {IMAGES:,} images"
            title = f"workers that {name.partition(':')[0]} serves at least"
            yield Result(title, "", (rate * seconds,), note=note)
    rate = next(value for name, value in served.items() if "SQLite" in name)
    hours = tuple(_simulated(speeds, 1 / rate, seed) for seed in range(5))
    what = f"{TRIALS} trials, each {PASSES} × {PHOTOS:,} faces, {WORKERS} workers of two cores"
    yield Result(f"simulated: {what}", "h", hours, note=dtype)
    cost = tuple(2 * WORKERS * PRICE * one for one in hours)
    yield Result(
        "simulated: its cost", "$", cost, note=f"at an assumed {PRICE:g} $ a core and hour"
    )


def _simulated(speeds: Sequence[float], beside: float, seed: int) -> float:
    """Hours until the last trial ends; each is as fast as a measured round, drawn anew.

    The driver begins them one after the other, `beside` seconds each.
    """
    rng = np.random.default_rng(seed)
    free = [number * beside for number in range(WORKERS)]
    for speed in rng.choice(np.asarray(speeds), TRIALS):
        started = heapq.heappop(free)
        heapq.heappush(free, started + beside + PASSES * PHOTOS / speed)
    return max(free) / 3600
