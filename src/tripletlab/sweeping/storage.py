"""Where studies are kept: an SQLite file beside the runs, or PostgreSQL."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from tripletlab.errors import InputError, brief
from tripletlab.system.databases import sqlite_file, temporary_copy
from tripletlab.system.redaction import redacted

PATIENCE = 600  # seconds that a locked file, or a server that is restarted, is waited for
PAUSE = 1.0  # seconds between two attempts


def open_storage(url: str) -> RDBStorage:
    """The database of studies. It cannot be MLflow's, whose tables have the same names.

    InputError, without the password, where it cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = sqlite_file(url)
    settings: dict[str, Any] = {"pool_pre_ping": True}  # a server may have been restarted
    if file:
        settings = {"connect_args": {"timeout": PATIENCE}}
    try:
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
        storage = RDBStorage(url, engine_kwargs=settings)
        if file:
            with storage.engine.connect() as connection:  # SQLite opens damaged files, too
                if (found := connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()) != "ok":
                    raise OSError(f"it is damaged: {found}")
        storage.get_all_studies()  # another program's tables may have the names of Optuna's
    except Exception as error:  # whatever the database's driver raises
        reason = brief(str(error.__cause__ or error).partition("\n")[0])
        raise InputError(f"studies={redacted(url)}: cannot be opened ({reason})") from error
    if not file:
        sqlalchemy.event.listen(storage.engine, "do_connect", _connect_patiently)
    return storage


def _connect_patiently(dialect: Any, _: Any, args: Any, settings: Any) -> Any:
    """A connection to a server that was there before, as soon as it is back."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return dialect.connect(*args, **settings)
        except dialect.loaded_dbapi.OperationalError:
            if time.monotonic() > end:
                raise
        time.sleep(PAUSE)


@contextlib.contextmanager
def failures_reported(url: str) -> Iterator[None]:
    """InputError where the database fails in the block; what it has recorded stays."""
    try:
        yield
    except optuna.exceptions.StorageInternalError as error:
        reason = brief(str(error.__cause__ or error).partition("\n")[0])
        raise InputError(
            f"studies={redacted(url)}: the database has failed ({redacted(reason)}); the same"
            " command continues the sweep"
        ) from error


def existing_storage(url: str) -> RDBStorage:
    """The database to read from: a copy where it is read-only; InputError where there is none."""
    if file := sqlite_file(url):
        if not file.is_file():
            raise InputError(f"no sweep has run here: there is no {file}")
        if not all(os.access(one, os.W_OK, effective_ids=True) for one in (file, file.parent)):
            url = f"sqlite:///{temporary_copy(file)}"
    return open_storage(url)


def study_names(storage: RDBStorage) -> list[str]:
    """The names of all studies."""
    return optuna.get_all_study_names(storage)


class TrialOutline(NamedTuple):
    """The little of a trial that a list of sweeps needs."""

    number: int
    state: TrialState
    user_attrs: dict[str, Any]


def first_starts(storage: RDBStorage) -> dict[str, str]:
    """When the first trial of each study began, by name, as ISO 8601; "" where none has."""
    found = _rows(
        storage,
        "select study_name, min(datetime_start) from studies left join trials"
        " on trials.study_id = studies.study_id group by study_name",
    )
    return {name: str(began or "") for name, began in found}


def outlines(storage: RDBStorage, *keys: str) -> dict[str, list[TrialOutline]]:
    """Every trial with its notes of these keys, by study, in the order of their numbers.

    One query: Optuna takes a millisecond for each trial, and a store may have thousands.
    """
    named = ", ".join(f"'{key}'" for key in keys)
    found: dict[str, dict[int, TrialOutline]] = {}
    for study, number, state, key, value in _rows(
        storage,
        "select study_name, number, state, key, value_json from studies"
        " join trials on trials.study_id = studies.study_id left join trial_user_attributes"
        f" on trial_user_attributes.trial_id = trials.trial_id and key in ({named})"
        " order by number",
    ):
        empty = TrialOutline(number, TrialState[state], {})
        trial = found.setdefault(study, {}).setdefault(number, empty)
        if key is not None:
            trial.user_attrs[key] = json.loads(value)
    return {study: list(trials.values()) for study, trials in found.items()}


def _rows(storage: RDBStorage, query: str) -> list[Any]:
    with storage.engine.connect() as connection:
        return list(connection.exec_driver_sql(query))
