"""The one door to Optuna: a study remembers the trials of a sweep, whatever happens to it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from tripletlab.sweeping.spaces import Space

# A trial's function: the cell -> its score and what to remember of it
Objective = Callable[[dict[str, Any]], tuple[float, Mapping[str, Any]]]


def digest(*parts: Any) -> str:
    """8 hex digits of anything JSON can write."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


class Study:
    """A grid's trials, kept in a SQLite file of their own (not MLflow's: their schemas collide).

    `name` identifies space, config and data; opening the same name again continues. Trials that a
    dead process left unfinished count as failed: hold a lock while you use the study.
    """

    def __init__(self, folder: Path, *, name: str, space: Space, fresh: bool) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # warnings repeat what is raised
        folder.mkdir(parents=True, exist_ok=True)
        self.space = space
        self.storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'optuna.db'}")
        names = [one.study_name for one in optuna.get_all_study_summaries(self.storage)]
        if fresh and name in names:  # MLflow keeps the runs
            optuna.delete_study(study_name=name, storage=self.storage)
        self.study = optuna.create_study(
            storage=self.storage, study_name=name, direction="maximize", load_if_exists=True
        )
        for trial in self.study.get_trials(states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)
        for _ in self.study.get_trials(states=(TrialState.WAITING,)):
            self.study.tell(self.study.ask(), state=TrialState.FAIL)

    def recall(self, key: str) -> str | None:
        """A note that was kept with the study."""
        note: str | None = self.study.user_attrs.get(key)
        return note

    def remember(self, key: str, value: str) -> str | None:
        """Keep a note with the study; return the one that was there before."""
        before = self.recall(key)
        if before is None:
            self.study.set_user_attr(key, value)
        return before

    def siblings(self, key: str, value: str) -> list[str]:
        """Names of the other studies that carry the same note."""
        return [
            other.study_name
            for other in optuna.get_all_study_summaries(self.storage)
            if other.user_attrs.get(key) == value and other.study_name != self.study.study_name
        ]

    def finished(self) -> list[FrozenTrial]:
        """Completed trials in the order of the grid."""
        done = self.study.get_trials(states=(TrialState.COMPLETE,))
        cells = self.space.cells()
        return sorted(done, key=lambda trial: cells.index(trial.params))

    def missing(self) -> list[dict[str, Any]]:
        """Cells without a completed trial."""
        done = [trial.params for trial in self.finished()]
        return [cell for cell in self.space.cells() if cell not in done]

    def run(self, objective: Objective) -> None:
        """One trial for each missing cell.

        A cell whose numbers leave the finite (FloatingPointError) counts as failed and the next one
        is tried; every other exception ends the sweep.
        """

        def trial(trial: Trial) -> float:
            cell = {
                key: trial.suggest_categorical(key, values)
                for key, values in self.space.axes.items()
            }
            score, notes = objective(cell)
            for key, note in notes.items():
                trial.set_user_attr(key, note)
            return score

        for cell in self.missing():
            self.study.enqueue_trial(cell)
            self.study.optimize(trial, n_trials=1, catch=(FloatingPointError,))
