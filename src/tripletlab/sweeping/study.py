"""A sweep's study in Optuna's database, read: its trials, their states, results and notes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self, TypeVar

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from pydantic import ValidationError

from tripletlab.errors import InputError
from tripletlab.sweeping.axes import Point
from tripletlab.sweeping.spaces import Space
from tripletlab.sweeping.storage import TrialOutline, first_starts
from tripletlab.system.provenance import json_digest

SomeTrial = TypeVar("SomeTrial", FrozenTrial, TrialOutline)
# Keys of a trial's notes
POINT, SEED, RUN, DEATHS = "point", "seed", "run_id", "deaths"
REASON, ERROR, METRICS = "reason", "error", "metrics"
# Keys of a study's notes
SPACE, PARENT, RECIPE, CODE = "space", "parent_run", "recipe", "code"
STORES, OVERRIDES, CONF, DATA = "stores", "overrides", "conf", "data"
STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


class Study:
    """A sweep's trials; each is a point of the space with one seed.

    Its name identifies space, config and data. Nothing here changes it; `TrialQueue` does.
    """

    def __init__(self, study: optuna.Study, storage: RDBStorage, space: Space) -> None:
        self.study, self.storage, self.space, self.name = study, storage, space, study.study_name

    @classmethod
    def find(cls, storage: RDBStorage, wanted: str | None) -> Self:
        """The study that began last of those of this name, or of this space, or (None) of all.

        InputError, with the names of all studies, where there is none.
        """
        known = [one for one in storage.get_all_studies() if SPACE in one.user_attrs]
        found = [
            one
            for one in known
            if wanted in (None, one.study_name, one.study_name.rpartition("-")[0])
        ]
        if not found:
            names = ", ".join(one.study_name for one in known)
            raise InputError(
                f"no sweep {wanted}; there are {names}" if names else "no sweep has run here yet"
            )
        starts = first_starts(storage)
        return cls.load(storage, max((one.study_name for one in found), key=starts.__getitem__))

    @classmethod
    def load(cls, storage: RDBStorage, name: str) -> Self:
        """The study of exactly this name; InputError where another version wrote its space."""
        study = optuna.load_study(study_name=name, storage=storage)
        try:
            space = Space.model_validate_json(study.user_attrs[SPACE])
        except ValidationError as error:
            raise InputError(f"{name}: its space is of another version of tripletlab") from error
        return cls(study, storage, space)

    def note(self, key: str) -> str | None:
        """A note of the study; None where it has none of that key."""
        note: str | None = self.study.user_attrs.get(key)
        return note

    @property
    def data(self) -> str:
        """What its networks are trained and evaluated on; the data's folder where not noted."""
        return self.note(DATA) or Path((self.note(STORES) or "").split("\n")[0]).parent.name

    def siblings(self, key: str, value: str) -> list[str]:
        """Names of the other studies that have the same note."""
        return [
            other.study_name
            for other in self.storage.get_all_studies()
            if other.user_attrs.get(key) == value and other.study_name != self.name
        ]

    def trial(self, number: int) -> FrozenTrial:
        """A trial as it is now."""
        storage = self.study._storage  # where finished trials are in memory; one query for others
        found = storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)
        return storage.get_trial(found)

    def trials(self, state: TrialState) -> list[FrozenTrial]:
        """All trials in a state, in the order of their numbers."""
        return self.study.get_trials(deepcopy=False, states=(state,))

    def latest(self) -> list[FrozenTrial]:
        """The last trial of each point and seed, in the order in which they began."""
        return last_attempts(self.study.get_trials(deepcopy=False))

    def finished(self) -> list[tuple[Point, list[FrozenTrial]]]:
        """The complete points, in the order of the space, with a trial for each of their seeds."""
        done, seeds = self.trials(TrialState.COMPLETE), self.seeds
        done.sort(key=lambda one: (one.user_attrs[POINT], seeds.index(one.user_attrs[SEED])))
        points: dict[str, dict[int | None, FrozenTrial]] = {}  # a sampler may draw a point twice
        for trial in done:
            by_seed = points.setdefault(json_digest(parameters(trial)), {})
            by_seed.setdefault(trial.user_attrs[SEED], trial)
        found = [list(by_seed.values()) for by_seed in points.values()]
        return [(parameters(trials[0]), trials) for trials in found]

    def title(self, trial: FrozenTrial) -> str:
        """The name of a trial's run: its point and seed."""
        return self.space.title(parameters(trial), trial.user_attrs.get(SEED))

    def counts(self) -> dict[str, int]:
        """How many trials are in each state; `declared` are those of the whole space."""
        states = [STATES[trial.state] for trial in self.latest()]
        return {
            "declared": self.space.runs,
            **{state: states.count(state) for state in STATES.values()},
        }

    def summary(self) -> str:
        """How many trials there are, and how many in each state, in words."""
        counts = self.counts()
        total = counts.pop("declared")
        states = [f"{count} {state}" for state, count in counts.items() if count]
        return f"{total} runs: {', '.join(states) or 'none began'}"

    @property
    def seeds(self) -> list[int | None]:
        """The seeds of every point; None stands for the config's own."""
        return [*self.space.seeds] if self.space.seeds else [None]


def last_attempts(trials: Iterable[SomeTrial]) -> list[SomeTrial]:
    """The last trial of each point and seed, in the order in which they began."""
    found = {}
    for trial in trials:
        key = trial.user_attrs.get(POINT, -1 - trial.number), trial.user_attrs.get(SEED)
        found[key] = trial
    return list(found.values())


def reason(trial: FrozenTrial) -> str:
    """Why a trial ended early or failed; else nothing."""
    return str(trial.user_attrs.get(ERROR) or trial.user_attrs.get(REASON) or "")


def parameters(trial: FrozenTrial) -> Point:
    """A trial's point, also of one that has not begun."""
    return trial.params or dict(trial.system_attrs.get("fixed_params", {}))


def stem(trial: FrozenTrial) -> str:
    """The name of a trial's files, without suffix: one for all attempts at a point and seed."""
    return file_stem(trial.user_attrs[POINT], trial.user_attrs[SEED])


def file_stem(place: int, seed: int | None) -> str:
    """The name of the files of a point, by its place in the space, and a seed."""
    return f"{place:04}" if seed is None else f"{place:04}-seed{seed}"
