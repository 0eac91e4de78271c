"""A sweep whose trials train nothing, and the loop that one would write without tripletlab.

    python benchmarks/empty_sweep.py TRIALS WORKERS FOLDER

Each trial is a config composed by Hydra, a job for a warm worker process, an MLflow run with all
its parameters and one epoch's metrics, a decision of the pruner, and a result in Optuna's database:
everything that `tripletlab sweep` does except photos, network and evaluation. FOLDER keeps the
databases. load.py observes this sweep, and `make bench` times the trials of one worker."""

import functools
import itertools
import pickle
import sys
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
    def waits(self, job: Job, line: str) -> None: ...
    def ended(self, job: Job, how: str) -> None:
        self.ends.append(time.perf_counter())


def sweep(plan: Plan, folder: Path, *, workers: int = 1) -> list[float]:
    """Seconds of each trial but the first, which waits for its worker."""
    tracker = Tracker(str(folder), "empty", f"sqlite:///{folder / 'mlflow.db'}")
    tracker.open()
    storage = open_storage(f"sqlite:///{folder / 'optuna.db'}")
    queue = TrialQueue.open(storage, name="empty", space=plan.space, fresh=False)
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
                epochs=plan.epochs,
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


def main(trials: str, workers: str, folder: str) -> None:
    """Run it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    plan = read_plan(["random", f"trials={trials}"])
    sweep(plan, Path(folder), workers=int(workers))


if __name__ == "__main__":
    main(*sys.argv[1:])
