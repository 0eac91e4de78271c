"""The one door to Optuna's studies: what is to be tried, what became of it, and what comes next."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from tripletlab.errors import InputError
from tripletlab.sweeping.samplers import make_pruner, make_sampler
from tripletlab.sweeping.spaces import Point, Space
from tripletlab.sweeping.storage import existing_storage

POINT, SEED, RUN, DEATHS, REASON, ERROR, METRICS = (  # notes of a trial
    "point",
    "seed",
    "run_id",
    "deaths",
    "reason",
    "error",
    "metrics",
)
# Notes of a study
SPACE, PARENT, RECIPE, CODE = "space", "parent_run", "recipe", "code"
STORES, OVERRIDES = "stores", "overrides"
STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


class Taken(NamedTuple):
    """A trial that is to be run: which point with which seed, and what is known of it already."""

    number: int
    place: int  # of the point, from 0
    point: Point
    seed: int | None  # None: the config's own
    run_id: str | None  # of the MLflow run to go on with


def digest(*parts: Any) -> str:
    """8 hex digits of anything JSON can write."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def find_study(url: str, wanted: str | None) -> "Study":
    """The study of that name, or the latest of that space, or of all."""
    return Study.seen(existing_storage(url), wanted)


class Study:
    """A sweep's trials. Its name identifies space, config and data; opening it again continues.

    One process at a time uses it, the driver: hold a lock meanwhile. A trial is a point of the
    space with one seed. Those that a dead driver left running wait again, failed ones are put in
    the queue once more, and both keep their MLflow run.
    """

    def __init__(self, study: optuna.Study, storage: RDBStorage, space: Space) -> None:
        self.study, self.storage, self.space, self.name = study, storage, space, study.study_name

    @classmethod
    def open(cls, storage: RDBStorage, *, name: str, space: Space, fresh: bool) -> "Study":
        """To work on: makes it where it is not there, and puts what is missing into the queue."""
        there = name in optuna.get_all_study_names(storage)
        if fresh and there:  # MLflow keeps the runs
            optuna.delete_study(study_name=name, storage=storage)
        # A sampler that is made anew draws anew: its seed moves on with the trials that are there
        begun = there and not fresh
        offset = len(optuna.load_study(study_name=name, storage=storage).trials) if begun else 0
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            sampler=make_sampler(space, offset),
            pruner=make_pruner(space),
            directions=list(space.objectives.values()),
            load_if_exists=True,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(space.objectives))
        study.set_user_attr(SPACE, space.model_dump_json())
        opened = cls(study, storage, space)
        for trial in opened._trials(TrialState.RUNNING):
            opened.wait_again(trial.number)
        opened._enqueue_missing(opened._points())
        return opened

    @classmethod
    def seen(cls, storage: RDBStorage, wanted: str | None) -> "Study":
        """To look at: the latest begun of that name, or space, or of all; changes nothing."""
        known = [one for one in optuna.get_all_study_summaries(storage) if SPACE in one.user_attrs]
        found = [
            one
            for one in known
            if wanted in (None, one.study_name, one.study_name.rpartition("-")[0])
        ]
        if not found:
            names = ", ".join(one.study_name for one in known) or "none yet"
            raise InputError(f"no sweep {wanted or ''}: there are {names}")
        name = max(found, key=lambda one: one.datetime_start or datetime.min).study_name
        study = optuna.load_study(study_name=name, storage=storage)
        return cls(study, storage, Space.model_validate_json(study.user_attrs[SPACE]))

    def forget_unless_begun(self) -> None:
        """Delete the study where none of its trials has begun."""
        if all(trial.state == TrialState.WAITING for trial in self.study.get_trials(False)):
            optuna.delete_study(study_name=self.name, storage=self.storage)

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
            if other.user_attrs.get(key) == value and other.study_name != self.name
        ]

    def take(self) -> Taken | None:
        """The next trial: one that waits, or a point drawn now; None when all have begun.

        A point that is drawn again, with a seed that it has had, would end as it did: it is
        completed at once by what is known, and the one after it is taken.
        """
        while (taken := self._next()) and (twin := self._twin(taken)):
            self.note(taken.number, RUN, twin.user_attrs[RUN])
            self.note(taken.number, REASON, f"as in trial {twin.number}")
            self.complete(taken.number, twin.user_attrs[METRICS])
        return taken

    def _next(self) -> Taken | None:
        waiting = self._trials(TrialState.WAITING)
        if not waiting and (self.space.sampler is None or self._drawn() >= self.space.points):
            return None
        trial = self.study.ask()
        point = self.space.draw(trial)
        if POINT not in trial.user_attrs:
            trial.set_user_attr(SEED, self.space.seeds[0] if self.space.seeds else None)
            place = self._drawn()
            trial.set_user_attr(POINT, place)
            self._enqueue_missing({place: point})
        notes = trial.user_attrs
        return Taken(trial.number, notes[POINT], point, notes[SEED], notes.get(RUN))

    def _twin(self, taken: Taken) -> FrozenTrial | None:
        """A finished trial of the same point and seed."""
        return next(
            (
                one
                for one in self._trials(TrialState.COMPLETE)
                if parameters(one) == taken.point and one.user_attrs[SEED] == taken.seed
            ),
            None,
        )

    def note(self, number: int, key: str, value: Any) -> None:
        """Keep something with a trial."""
        self._trial(number).set_user_attr(key, value)

    def report(self, number: int, step: int, value: float) -> bool:
        """Keep an epoch's value; the pruner says whether the trial should end here."""
        if self.space.several:  # Optuna keeps no curves of several objectives
            return False
        trial = self._trial(number)
        if step not in self.frozen(number).intermediate_values:  # an epoch done twice after a death
            trial.report(value, step)
        return bool(trial.should_prune())

    def complete(self, number: int, metrics: Mapping[str, float]) -> None:
        """The trial ended well, with these metrics; KeyError where an objective is not of them."""
        self.note(number, METRICS, dict(metrics))
        self.study.tell(number, [metrics[name] for name in self.space.objectives])

    def pruned(self, number: int, reason: str) -> None:
        """The trial was ended early."""
        self.note(number, REASON, reason)
        self.study.tell(number, state=TrialState.PRUNED)

    def failed(self, number: int, error: str) -> None:
        """The trial raised an error."""
        self.note(number, ERROR, error)
        self.study.tell(number, state=TrialState.FAIL)

    def wait_again(self, number: int) -> None:
        """What ran has died or been stopped: it is taken again, and goes on where it can."""
        trial_id = self.frozen(number)._trial_id
        self.storage.set_trial_state_values(trial_id, TrialState.WAITING)

    def died(self, number: int) -> int:
        """Count one more death of the trial's worker; how many there are."""
        deaths = int(self.frozen(number).user_attrs.get(DEATHS, 0)) + 1
        self.note(number, DEATHS, deaths)
        return deaths

    def frozen(self, number: int) -> FrozenTrial:
        """A trial as it is now."""
        return self.study.get_trials(deepcopy=False)[number]

    def finished(self) -> list[tuple[Point, list[tuple[str, dict[str, float]]]]]:
        """The points that ended well, in the order of the space: run and metrics of each seed."""
        done = self._trials(TrialState.COMPLETE)
        seeds = self._seeds
        done.sort(key=lambda one: (one.user_attrs[POINT], seeds.index(one.user_attrs[SEED])))
        points: dict[str, dict[int | None, FrozenTrial]] = {}  # a point may have been drawn twice
        for trial in done:
            points.setdefault(digest(parameters(trial)), {}).setdefault(
                trial.user_attrs[SEED], trial
            )
        return [
            (
                parameters(trials[0]),
                [(one.user_attrs[RUN], one.user_attrs[METRICS]) for one in trials],
            )
            for trials in (list(seeds.values()) for seeds in points.values())
        ]

    def latest(self) -> list[FrozenTrial]:
        """The last trial of each point and seed, in the order in which they began."""
        found = {}
        for trial in self.study.get_trials(deepcopy=False):
            key = trial.user_attrs.get(POINT, -1 - trial.number), trial.user_attrs.get(SEED)
            found[key] = trial
        return list(found.values())

    def reason(self, trial: FrozenTrial) -> str:
        """Why a trial ended early or failed."""
        return str(trial.user_attrs.get(ERROR) or trial.user_attrs.get(REASON) or "")

    def counts(self) -> dict[str, int]:
        """How many trials of the space are in each state, `declared` among them."""
        states = [STATES[trial.state] for trial in self.latest()]
        return {
            "declared": self.space.runs,
            **{state: states.count(state) for state in STATES.values()},
        }

    def _trial(self, number: int) -> Trial:
        return Trial(self.study, self.frozen(number)._trial_id)

    def _trials(self, state: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=(state,))

    @property
    def _seeds(self) -> list[int | None]:
        """None stands for the config's own."""
        return [*self.space.seeds] if self.space.seeds else [None]

    def _drawn(self) -> int:
        return len(self._points())

    def _points(self) -> dict[int, Point]:
        if self.space.sampler is None:
            return dict(enumerate(self.space.cells()))
        return {
            trial.user_attrs[POINT]: parameters(trial)
            for trial in self.study.get_trials(deepcopy=False)
            if POINT in trial.user_attrs
        }

    def _enqueue_missing(self, points: Mapping[int, Point]) -> None:
        """A trial for each of the points and each seed that has none, or only failed ones."""
        known, runs = set(), {}
        for trial in self.study.get_trials(deepcopy=False):
            if POINT in trial.user_attrs:
                key = trial.user_attrs[POINT], trial.user_attrs[SEED]
                if trial.state != TrialState.FAIL:
                    known.add(key)
                elif RUN in trial.user_attrs:
                    runs[key] = {RUN: trial.user_attrs[RUN]}
        for place, point in points.items():
            for seed in self._seeds:
                if (place, seed) not in known:
                    notes = {POINT: place, SEED: seed, **runs.get((place, seed), {})}
                    self.study.enqueue_trial(point, user_attrs=notes)


def stem(trial: FrozenTrial) -> str:
    """What a trial's files are called: the same for all attempts at a point and seed."""
    return file_stem(trial.user_attrs[POINT], trial.user_attrs[SEED])


def file_stem(place: int, seed: int | None) -> str:
    """What the files of a point and seed are called."""
    return f"{place:04}" if seed is None else f"{place:04}-seed{seed}"


def parameters(trial: FrozenTrial) -> Point:
    """A trial's point, also before it has begun."""
    return trial.params or dict(trial.system_attrs.get("fixed_params", {}))
