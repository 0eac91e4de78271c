"""The connection to MLflow's store: every call waits for it, and its failures are one line."""

import errno
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote, urlsplit, urlunsplit

from tripletlab.errors import InputError
from tripletlab.system.databases import sqlite_file
from tripletlab.system.redaction import redacted
from tripletlab.tracking.notice import notice

if TYPE_CHECKING:
    from mlflow import MlflowClient

Result = TypeVar("Result")
# What would send runs elsewhere than the config says, or leave them unwritten for a while.
ELSEWHERE = (
    *("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_WORKSPACE"),
    *("MLFLOW_ENABLE_ASYNC_LOGGING", "MLFLOW_TRUNCATE_LONG_VALUES"),
)
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout is for results
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # `patiently` tries again, and says so
}
NOTICE = 5.0  # seconds of silence before a line names what is waited for
PAUSE = 2.0  # seconds between two attempts
AWAY = "it is slow, locked, full or away; nothing is lost"
NEW = "its tables are being made"  # which takes a slow machine more than NOTICE
OPENING = 60.0  # seconds that a command waits for a store that it has not used yet
FULL = (errno.ENOSPC, errno.EDQUOT, errno.ESTALE)  # of the disk that keeps the files of runs
LOCKED = ("database is locked", "database table is locked")
HALF = (
    "has half of MLflow's tables: what made them was killed; delete it, or restore it from a copy"
)
BROKEN = {  # in the database's own words: what waiting does not mend
    "not a database": "is no SQLite database, or a damaged one; restore it from a copy",
    "malformed": "is damaged; restore it from a copy",
    "readonly": "cannot be written: the file or its folder is read-only",
    "no such table": "has not MLflow's tables",
    "no such column": "has not MLflow's tables",
    "already exists": HALF,
    "duplicate column": HALF,
}


def point_to(uri: str) -> None:
    """Send all that MLflow does in this process to this store."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in ELSEWHERE:
        os.environ.pop(name, None)
    import mlflow
    from mlflow.tracking._tracking_service import utils

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    # MLflow logs a traceback for errors that `patiently` waits out or says in a line
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    uri = _without_credentials(uri)
    # MLflow remembers by the run alone where its files are; in a copied project that is elsewhere
    getattr(utils, "_artifact_repos_cache", {}).clear()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)


def absolute(uri: str) -> str:
    """A SQLite file by its whole path, which means the same in every working folder."""
    path = sqlite_file(uri)
    return uri if path is None else f"sqlite:///{path}"


def check(uri: str) -> None:
    """InputError where the store cannot be reached or read, in one line."""
    patience = OPENING if uri.startswith("sqlite:") else 0.0
    if not uri.startswith("http"):  # MLflow itself tries for minutes
        patiently(lambda: _connect(uri), limit=patience, uri=uri)
    patiently(lambda: mlflow_client().search_experiments(max_results=1), limit=patience, uri=uri)


def _connect(uri: str) -> None:
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(uri)
    except ModuleNotFoundError as error:
        raise InputError(
            f"tracking.uri={redacted(uri)}: the database's driver is not installed"
            f" ({error.name}); try pip install -e '.[cluster]' in tripletlab's folder"
        ) from error
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise InputError(
            f"tracking.uri={redacted(uri)}: not the URL of a database, nor of a server"
        ) from error
    with engine.connect() as connection:
        sqlalchemy.inspect(connection).get_table_names()
    engine.dispose()


def client() -> "MlflowClient":
    """MLflow's client, each of whose calls waits for the store."""
    return cast("MlflowClient", _Patient())


class _Patient:
    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return patiently(lambda: getattr(mlflow_client(), name)(*args, **kwargs))

        return call


def mlflow_client(uri: str | None = None) -> "MlflowClient":
    """MLflow's own client, which does not wait, of this store or that of `point_to`."""
    from mlflow import MlflowClient

    return MlflowClient(uri, uri)


def all_pages(search: Callable[[str | None], Any]) -> list[Any]:
    """The entities of every page of a search, which takes the token of a page."""
    found, token = [], None
    while True:
        page = search(token)
        found += page
        if not (token := page.token):
            return found


def patiently(
    work: Callable[[], Result],
    *,
    limit: float = float("inf"),
    uri: str | None = None,
    why: str = AWAY,
) -> Result:
    """What `work` returns, done again while the store is locked or away: nothing is lost to it.

    After a few seconds a line says what is waited for, and `why`. InputError where the store is
    broken, or still away after `limit` seconds.
    """
    began, outer = time.monotonic(), sys.exc_info()[1]
    shown = redacted(uri) if uri else _uri()
    where = f"tracking.uri={shown}"
    over = "the tracking store is " + ("ready" if why == NEW else "back")
    with notice(f"waiting for the tracking store {shown}: {why}", over, after=NOTICE):
        while True:
            try:
                return work()
            except Exception as error:
                causes = list(_causes(error, outer))
                reason = next(filter(None, map(_temporary, causes)), None)
                if reason is None:
                    broken = next(filter(None, map(_permanent, causes)), None)
                    if broken is None:
                        raise
                    raise InputError(f"{where}: {broken}") from error
                if time.monotonic() - began >= limit:
                    raise InputError(f"{where}: {reason}") from error
            time.sleep(PAUSE)


def _temporary(error: BaseException) -> str | None:
    """Why the store cannot be used now, but may be later; None for any other error."""
    import sqlalchemy
    from mlflow.exceptions import MlflowException
    from requests import exceptions as http

    words = " ".join(str(getattr(error, "orig", error)).split())[:300]
    match error:
        case (
            http.ConnectionError()
            | http.Timeout()
            | http.RetryError()
            | http.ChunkedEncodingError()
        ):
            return "no MLflow server answers there"
        case http.HTTPError() if error.response is not None and error.response.status_code >= 500:
            return words
        case sqlalchemy.exc.OperationalError() if not any(one in words for one in BROKEN):
            locked = any(one in words for one in LOCKED)
            return "another process has locked it" if locked else words
        case OSError() if error.errno in FULL:
            return words
        case MlflowException() if error.get_http_status_code() in (429, 502, 503, 504):
            return words if error.__cause__ is None else None  # its cause says more
    return None


def _permanent(error: BaseException) -> str | None:
    """What is wrong with the store for good; None where the store is not the reason."""
    import sqlalchemy
    from mlflow.exceptions import MlflowException

    words = " ".join(str(getattr(error, "orig", error)).split())[:300]
    match error:
        case _ if type(error).__module__.startswith("alembic."):  # which makes MLflow's tables
            return "the tables are of another program, or of another version of MLflow"
        case sqlalchemy.exc.DatabaseError():
            return next((line for part, line in BROKEN.items() if part in words), words)
        case MlflowException() if "out-of-date database schema" in words:
            return (
                "made by another version of MLflow; copy it, then run mlflow db upgrade on it"
                " (where that fails, the version was newer: install that)"
            )
        case MlflowException() if found := re.search(r"run (\w+) must be in the 'active'", words):
            return f"the run {found[1]} was deleted in MLflow while it was being written"
        case MlflowException() if error.get_http_status_code() in (401, 403):
            return (
                "the server refuses this user; set MLFLOW_TRACKING_USERNAME and"
                " MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            )
    return None


def _causes(error: BaseException | None, outer: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from, up to what was being handled before."""
    while error is not None and error is not outer:
        yield error
        error = error.__cause__ or error.__context__


def _uri() -> str:
    import mlflow

    return redacted(mlflow.get_tracking_uri())


def _without_credentials(uri: str) -> str:
    """A server's address, its user and password where MLflow reads and never prints them."""
    parts = urlsplit(uri)
    if not uri.startswith("http") or not (parts.username and parts.password):
        return uri
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username)
    os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
