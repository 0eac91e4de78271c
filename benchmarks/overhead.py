"""What a sweep costs beside training: an empty objective through all of its machinery.

    python benchmarks/overhead.py [trials [workers FOLDER]]

Each trial is a config composed by Hydra, a job to a warm worker process, an MLflow run with all its
parameters and one epoch's metrics, a decision of the pruner, and a result in Optuna's database: all
that `tripletlab sweep` does but photos, network and evaluation. Against it a bare loop of Optuna on
the same kind of database, without and with an MLflow run a trial. Seconds a trial, medians. With
several workers and a FOLDER, which keeps the databases, the first of the three alone.
"""

import functools
import itertools
import pickle
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import mlflow
import optuna

from tripletlab.sweeping.driver import Driver
from tripletlab.sweeping.jobs import Job, Reporter
from tripletlab.sweeping.local_engine import Local
from tripletlab.sweeping.plan import Plan, read_plan
from tripletlab.sweeping.storage import open_storage
from tripletlab.sweeping.trial import TRIAL
from tripletlab.sweeping.trial_queue import TrialQueue
from tripletlab.tracking import Tracker

METRICS = {"val/best_auc": 0.5, "val/auc": 0.5, "train/loss": 0.2}


class Empty(NamedTuple):
    """Work that trains nothing."""

    tracker: Tracker
    parent: str

    def __call__(self, job: Job, reporter: Reporter) -> dict[str, float]:
        connect(self.tracker)
        params, tags = pickle.loads(job.config).params(), {TRIAL: job.log.stem}
        with self.tracker.run(job.name, params=params, tags=tags, parent=self.parent) as run:
            reporter.began(run.run_id)
            run.metrics(METRICS, step=1)
            reporter.epoch(1, METRICS)
            run.metrics(METRICS)
        return METRICS


@functools.cache
def connect(tracker: Tracker) -> None:
    """Point MLflow to the tracker's store, once in each worker."""
    tracker.connect()


class Clock:
    """Notes when each trial ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def began(self, job: Job) -> None: ...
    def epoch(self, job: Job, epoch: int, metrics: dict[str, float]) -> None: ...
    def ended(self, job: Job, how: str) -> None:
        self.ends.append(time.perf_counter())


def sweep(plan: Plan, folder: Path, *, workers: int = 1) -> list[float]:
    """Seconds of each trial but the first, which waits for its worker."""
    tracker = Tracker(str(folder), "overhead", f"sqlite:///{folder / 'mlflow.db'}")
    tracker.open()
    storage = open_storage(f"sqlite:///{folder / 'optuna.db'}")
    queue = TrialQueue.open(storage, name="overhead", space=plan.space, fresh=False)
    engine, clock = Local(workers=workers, gpus=1), Clock()
    with tracker.run("parent", params={}, tags={}) as parent:
        engine.open(Empty(tracker, parent.run_id))
        Driver(
            queue,
            engine,
            prepare=lambda taken: Job(
                taken.number,
                plan.space.title(taken.point, taken.seed),
                pickle.dumps(plan.run_config(taken.point, taken.seed)),
                taken.run_id,
                folder / f"{taken.number}.npz",
                folder / f"{taken.number}.log",
            ),
            display=clock,
            retries=0,
            close_run=lambda run_id, how: None,
        ).run()
    return [after - before for before, after in itertools.pairwise(clock.ends)]


def bare(plan: Plan, folder: Path, *, tracked: bool) -> list[float]:
    """Seconds of each trial of a loop that a person would write, but the first."""
    study = optuna.create_study(storage=f"sqlite:///{folder / 'bare.db'}", direction="maximize")
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    ends = []

    def objective(trial: optuna.Trial) -> float:
        point = plan.space.draw(trial)
        if tracked:
            with mlflow.start_run():
                mlflow.log_params(point)
                mlflow.log_metrics(METRICS, step=1)
        return 0.5

    def note(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        ends.append(time.perf_counter())

    study.optimize(objective, n_trials=plan.space.points, callbacks=[note])
    return [after - before for before, after in itertools.pairwise(ends)]


def main() -> None:
    """Print a line for each."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    plan = read_plan(["random", f"trials={trials}"])
    if len(sys.argv) > 2:
        workers, folder = sys.argv[2:]
        sweep(plan, Path(folder), workers=int(workers))
        return
    with tempfile.TemporaryDirectory() as scratch:
        for name, seconds in {
            "tripletlab sweep": sweep(plan, Path(scratch)),
            "bare Optuna loop": bare(plan, Path(scratch), tracked=False),
            "bare Optuna loop with MLflow": bare(plan, Path(scratch), tracked=True),
        }.items():
            print(f"{name:<30}{statistics.median(seconds):.3f} s a trial, worst {max(seconds):.3f}")


if __name__ == "__main__":
    main()
