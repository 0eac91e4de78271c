"""The queue of a study's trials: which comes next, and how each of them ended."""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from tripletlab.sweeping.axes import Point
from tripletlab.sweeping.samplers import make_pruner, make_sampler
from tripletlab.sweeping.spaces import Space
from tripletlab.sweeping.study import (
    DEATHS,
    ERROR,
    METRICS,
    POINT,
    REASON,
    RUN,
    SEED,
    SPACE,
    Study,
    parameters,
)


class QueuedTrial(NamedTuple):
    """A trial to run."""

    number: int
    place: int  # of the point in the space, from 0
    point: Point
    seed: int | None  # None: the config's own
    run_id: str | None  # of the MLflow run to continue


class TrialQueue(Study):
    """A study at work. Opening it again continues it.

    One process at a time uses it, the driver, which holds a lock meanwhile. Trials that a dead
    driver left running are queued again, as are failed ones; both keep their MLflow run.
    """

    @classmethod
    def open(cls, storage: RDBStorage, *, name: str, space: Space, fresh: bool) -> "TrialQueue":
        """The study of that name, made where there is none; queues every trial it lacks.

        `fresh` deletes it first; its runs stay in MLflow.
        """
        if fresh and name in optuna.get_all_study_names(storage):
            optuna.delete_study(study_name=name, storage=storage)
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            pruner=make_pruner(space),
            directions=list(space.objectives.values()),
            load_if_exists=True,
        )
        # A new sampler would draw the first points again: its seed moves on with the trials
        study.sampler = make_sampler(space, len(study.get_trials(deepcopy=False)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(space.objectives))
        study.set_user_attr(SPACE, space.model_dump_json())
        opened = cls(study, storage, space)
        for trial in opened.trials(TrialState.RUNNING):
            opened.requeue(trial.number)
        opened._enqueue_missing(opened._points())
        return opened

    def delete_unless_begun(self) -> None:
        """Delete the study where none of its trials has begun."""
        if all(trial.state == TrialState.WAITING for trial in self.study.get_trials(False)):
            optuna.delete_study(study_name=self.name, storage=self.storage)

    def add_note(self, key: str, value: str) -> str | None:
        """Note something with the study, unless it has such a note; returns that note, or None."""
        before = self.note(key)
        if before is None:
            self.study.set_user_attr(key, value)
        return before

    def take(self) -> QueuedTrial | None:
        """The next trial: one that waits, or a point drawn now; None when all have begun.

        A point that is drawn again, with a seed that it has had, would end as it did: it is
        completed at once with the metrics of the first, and the one after it is taken.
        """
        while (taken := self._next()) and (twin := self._twin(taken)):
            self.note_trial(taken.number, RUN, twin.user_attrs[RUN])
            self.note_trial(taken.number, REASON, f"as in trial {twin.number}")
            self.complete(taken.number, twin.user_attrs[METRICS])
        return taken

    def _next(self) -> QueuedTrial | None:
        waiting = self.trials(TrialState.WAITING)
        if not waiting and (self.space.sampler is None or len(self._points()) >= self.space.points):
            return None
        trial = self.study.ask()
        point = self.space.draw(trial, keys=parameters(self.trial(trial.number)))
        if POINT not in trial.user_attrs:
            trial.set_user_attr(SEED, self.seeds[0])
            place = len(self._points())
            trial.set_user_attr(POINT, place)
            self._enqueue_missing({place: point})
        notes = trial.user_attrs
        return QueuedTrial(trial.number, notes[POINT], point, notes[SEED], notes.get(RUN))

    def _twin(self, taken: QueuedTrial) -> FrozenTrial | None:
        """A complete trial of the same point and seed; a grid has none."""
        if self.space.sampler is None:
            return None
        return next(
            (
                one
                for one in self.trials(TrialState.COMPLETE)
                if parameters(one) == taken.point and one.user_attrs[SEED] == taken.seed
            ),
            None,
        )

    def note_trial(self, number: int, key: str, value: Any) -> None:
        """Note something with a trial."""
        self._writable(number).set_user_attr(key, value)

    def report(self, number: int, step: int, value: float) -> bool:
        """Record an epoch's value; True where the pruner would end the trial here.

        A trial that begins again with other code repeats its epochs: their new values count, and
        it is not pruned before it has them all.
        """
        if self.space.several:  # Optuna prunes by one objective alone
            return False
        # Trial.report would keep the old value
        own = self.trial(number)
        self.storage.set_trial_intermediate_value(own._trial_id, step, float(value))
        last = max([step, *own.intermediate_values])
        return bool(step == last and self._writable(number).should_prune())

    def complete(self, number: int, metrics: Mapping[str, float]) -> None:
        """End a trial with its metrics; KeyError where an objective is not among them."""
        self.note_trial(number, METRICS, dict(metrics))
        self.study.tell(number, [metrics[name] for name in self.space.objectives])

    def prune(self, number: int, reason: str) -> None:
        """End a trial as ended early."""
        self.note_trial(number, REASON, reason)
        self.study.tell(number, state=TrialState.PRUNED)

    def fail(self, number: int, error: str) -> None:
        """End a trial as failed; the next `open` queues it again."""
        self.note_trial(number, ERROR, error)
        self.study.tell(number, state=TrialState.FAIL)

    def requeue(self, number: int) -> None:
        """Queue a trial again that died or was stopped; it continues its run."""
        self.storage.set_trial_state_values(self.trial(number)._trial_id, TrialState.WAITING)

    def count_death(self, number: int) -> int:
        """Count one more death of the trial's worker; returns how many there are."""
        deaths = int(self.trial(number).user_attrs.get(DEATHS, 0)) + 1
        self.note_trial(number, DEATHS, deaths)
        return deaths

    def _writable(self, number: int) -> Trial:
        return Trial(self.study, self.trial(number)._trial_id)

    def _points(self) -> dict[int, Point]:
        """The points by their places: all of a grid, else those drawn by now."""
        if self.space.sampler is None:
            return dict(enumerate(self.space.cells()))
        return {
            trial.user_attrs[POINT]: parameters(trial)
            for trial in self.study.get_trials(deepcopy=False)
            if POINT in trial.user_attrs
        }

    def _enqueue_missing(self, points: Mapping[int, Point]) -> None:
        """Queue a trial for each point and seed that has none, or only failed ones."""
        known, runs = set(), {}
        for trial in self.study.get_trials(deepcopy=False):
            if POINT in trial.user_attrs:
                key = trial.user_attrs[POINT], trial.user_attrs[SEED]
                if trial.state != TrialState.FAIL:
                    known.add(key)
                elif RUN in trial.user_attrs:
                    runs[key] = {RUN: trial.user_attrs[RUN]}
        for seed in self.seeds:  # a sweep cut short has every point with the first seeds
            for place, point in points.items():
                if (place, seed) not in known:
                    notes = {POINT: place, SEED: seed, **runs.get((place, seed), {})}
                    self.study.enqueue_trial(point, user_attrs=notes)
