"""What a sweep's worker does with a job: a training run that reports to the driver."""

import functools
import pickle
from dataclasses import dataclass
from pathlib import Path

from tripletlab.experiment.data import Data
from tripletlab.faces.store import FaceStore, PairStore
from tripletlab.sweeping.jobs import Job, Reporter
from tripletlab.tracking import Tracker, waits_passed_to
from tripletlab.training import backend

TRIAL = "tripletlab.trial"  # the tag by which a trial's run is found


@dataclass(frozen=True)
class Training:
    """Trains on the stores in two files, in runs nested in the job's parent; sent to workers."""

    faces: Path
    pairs: Path
    tracker: Tracker

    def __call__(self, job: Job, reporter: Reporter) -> dict[str, float]:
        """The run's final metrics; Pruned or FloatingPointError where it ends early."""
        with waits_passed_to(reporter.waits):
            data = self.data  # opened before the config, whose components import Keras
            from tripletlab.experiment.run import run

            outcome = run(
                pickle.loads(job.config),
                data,
                name=job.name,
                tracker=self.tracker,
                parent=job.parent,
                tags={TRIAL: job.log.stem},
                resume=job.run_id,
                checkpoint=job.checkpoint,
                follower=reporter,
            )
        return outcome.metrics

    @functools.cached_property
    def data(self) -> Data:
        """The stores, opened for the first job."""
        backend.load()
        self.tracker.connect()
        return Data(FaceStore.open(self.faces), PairStore.open(self.pairs))
