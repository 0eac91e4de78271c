"""Where studies are kept: an SQLite file beside the runs, or PostgreSQL."""

import os
from pathlib import Path

import optuna
from optuna.storages import RDBStorage

from tripletlab.errors import InputError, brief
from tripletlab.system.databases import temporary_copy
from tripletlab.system.redaction import redacted


def open_storage(url: str) -> RDBStorage:
    """The database of studies. It cannot be MLflow's, whose tables have the same names.

    InputError, without the password, where it cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    patient = {}
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        patient = {"connect_args": {"timeout": 60}}  # seconds, while a dashboard reads
    try:
        storage = RDBStorage(url, engine_kwargs=patient)
        if patient:
            with storage.engine.connect() as connection:  # SQLite opens damaged files, too
                if (found := connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()) != "ok":
                    raise OSError(f"it is damaged: {found}")
        storage.get_all_studies()  # another program's tables may have the names of Optuna's
    except Exception as error:  # whatever the database's driver raises
        reason = brief(str(error.__cause__ or error).partition("\n")[0])
        raise InputError(f"studies={redacted(url)}: cannot be opened ({reason})") from error
    return storage


def existing_storage(url: str) -> RDBStorage:
    """The database to read from: a copy where it is read-only; InputError where there is none."""
    path = url.removeprefix("sqlite:///")
    if path == url:
        return open_storage(url)
    database = Path(path).resolve()
    if not database.is_file():
        raise InputError(f"no sweep has run here: there is no {database}")
    if not all(os.access(one, os.W_OK, effective_ids=True) for one in (database, database.parent)):
        url = f"sqlite:///{temporary_copy(database)}"
    return open_storage(url)


def study_names(storage: RDBStorage) -> list[str]:
    """The names of all studies."""
    return optuna.get_all_study_names(storage)
