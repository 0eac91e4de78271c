"""Databases that are locked or restarted, and a tracking server that is away or slow, while a
network is trained or a sweep runs: the command waits, and completes."""

import contextlib
import os
import random
import sqlite3
import time
from functools import partial

import pytest

from tests.servers import cluster_example, open_folder
from tests.torture.commands import COMMANDS, LONGEST
from tests.torture.processes import ended, said, start
from tests.torture.proxy import Proxy
from tests.torture.settings import SECONDS, SEED
from tests.torture.states import require_nothing_left
from tests.torture.tally import faults

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]
SLOW = 0.05, 0.2  # seconds before a request goes on
TRAINED, SWEPT = COMMANDS["train"], COMMANDS["sweep"]


@pytest.fixture(scope="module")
def example():
    """examples/cluster.py, which starts servers."""
    return cluster_example()


def begun(process, database, table):
    """Wait until a row of the table shows that the command is at work."""
    began = time.monotonic()
    while time.monotonic() - began < LONGEST:
        assert not ended(process, 0.1)
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(database)) as base,
        ):
            if base.execute(f"select 1 from {table}").fetchone():
                return
    pytest.fail("it has not begun")


def completes(process, command, folder, row):
    assert ended(process, LONGEST)
    assert process.exitcode == 0, said(folder)[-3000:]
    row.check_output()
    command.finished(folder)
    require_nothing_left(folder)


@pytest.mark.parametrize(
    ("command", "name", "table"),
    [(TRAINED, "mlflow", "runs"), (SWEPT, "mlflow", "runs"), (SWEPT, "optuna", "trials")],
    ids=["train-mlflow", "sweep-mlflow", "sweep-optuna"],
)
def test_a_locked_database(command, name, table, fresh):
    folder = fresh(command)
    database = folder / "mlruns" / f"{name}.db"
    with faults(f"SQLite locked for {SECONDS:g} s: {name}.db", command.name) as row:
        process = start(folder, command.words)
        begun(process, database, table)
        time.sleep(random.Random(f"{SEED} {name}").uniform(0, 5))
        with contextlib.closing(sqlite3.connect(database, timeout=60)) as base:
            base.execute("begin exclusive")
            row.injected(folder)
            time.sleep(SECONDS)
        completes(process, command, folder, row)


@pytest.fixture
def server(example, tmp_path):
    """An MLflow server behind a proxy, its database and files in the places of a local store."""

    @contextlib.contextmanager
    def serving(folder):
        (folder / "mlruns").mkdir(exist_ok=True)
        root = tmp_path / "server"
        with example.mlflow_server(f"sqlite:///{root}", root / "artifacts") as url:
            (folder / "mlruns" / "mlflow.db").symlink_to(root / "mlflow")
            (folder / "mlruns" / "artifacts").symlink_to(root / "artifacts" / "1")
            with Proxy(int(url.rpartition(":")[2])) as proxy:
                yield root / "mlflow", proxy

    return serving


@pytest.mark.parametrize("command", [TRAINED, SWEPT], ids=lambda one: one.name)
@pytest.mark.parametrize("fault", ["away", "slow"])
def test_a_server(command, fault, fresh, server):
    folder = fresh(command)
    what = f"away for {SECONDS:g} s" if fault == "away" else "slow by 50 to 200 ms"
    with server(folder) as (database, proxy), faults(f"MLflow server {what}", command.name) as row:
        if fault == "slow":
            proxy.delay = partial(random.Random(f"{SEED} slow").uniform, *SLOW)
            row.injected(folder)
        words = [*command.words, "tracking=server", f"tracking.uri={proxy.url}"]
        process = start(folder, words)
        if fault == "away":
            begun(process, database, "runs")
            row.injected(folder)
            proxy.away.set()
            time.sleep(SECONDS)
            proxy.away.clear()
        completes(process, command, folder, row)


@pytest.fixture
def data():
    """PostgreSQL's files."""
    with open_folder() as folder:
        yield folder / "postgres"


def test_a_restarted_postgresql(example, data, fresh):
    pytest.importorskip("psycopg2")
    folder = fresh(SWEPT)
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    control = [example.program("pg_ctl"), "-D", data, "-m", "fast", "-w"]
    with example.postgres(data) as database, faults("PostgreSQL restarted", "sweep") as row:
        words = [*SWEPT.words, f"studies={database}/studies"]
        process = start(folder, words)
        begun(process, folder / "mlruns" / "mlflow.db", "runs")
        for _ in range(3):
            time.sleep(random.Random(f"{SEED} restart").uniform(0, 5))
            row.injected(folder)
            example.quietly([*control, "-l", "/dev/null", "restart"], **user)
        completes(process, SWEPT, folder, row)
        example.quietly([*control, "stop"], **user)
