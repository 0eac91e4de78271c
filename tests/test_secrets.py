"""No password of a URL reaches a screen, a file, a database or the list of processes."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.stores import SMALL
from tripletlab.cli import main
from tripletlab.sweeping.jobs import Failed, Job, perform
from tripletlab.system.redaction import redact_tracebacks

ROOT = Path(__file__).parents[1]
SECRET = "s3cr3t"
PASSWORD = f"{SECRET}%40x y".replace(" ", "%20")  # s3cr3t@x y
POSTGRES = f"postgresql+psycopg2://ann:{PASSWORD}@127.0.0.1:1/lab"
SERVER = f"http://ann:{PASSWORD}@127.0.0.1:1"
UNREACHABLE = (
    f"evaluate champion tracking.uri={POSTGRES}",
    f"export bundle tracking.uri={POSTGRES.replace('psycopg2', 'nothing')}",
    f"ui tracking.uri={POSTGRES}?sslpassword={SECRET}",
    "compare 0123 4567 tracking.uri=${oc.env:LAB}",
    "ui tracking=server tracking.uri=${oc.env:LAB_SERVER}",
    f"identify champion tracking=server tracking.uri={SERVER}",
    f"sweep status studies={POSTGRES}",
    f"sweep list studies={POSTGRES[:-9]}:a/lab",
    "report studies=${oc.env:LAB}",
)


def holding(folder, secret=SECRET):
    """The files at any depth in which the secret stands, as it is or with other bytes between."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if secret.encode() in path.read_bytes()]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB", POSTGRES)
    monkeypatch.setenv("LAB_SERVER", SERVER)
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")  # which a URL sets; put back after the test
    return tmp_path


@pytest.mark.parametrize("command", UNREACHABLE)
def test_a_store_that_cannot_be_reached_is_named_without_its_password(command, project, capfd):
    assert main(command.split()) == 2
    out, err = capfd.readouterr()
    assert SECRET not in out + err
    assert len(err.splitlines()) == 1, err
    assert not holding(project)


def test_a_config_that_is_shown_hides_the_password(project, capfd):
    for command in (["train", "--config"], ["sweep", "--dry-run"]):
        words = [f"tracking.uri={POSTGRES}", *[f"studies={POSTGRES}"][: command[0] == "sweep"]]
        assert main([*command, *words]) == 0
        assert main([*command, f"tracking.url={POSTGRES}"]) == 2  # no such key
        out, err = capfd.readouterr()
        assert SECRET not in out + err


def test_a_trial_that_fails_logs_its_traceback_without_the_password(tmp_path, capfd):
    def work(job, reporter):
        try:
            raise ConnectionError(f"{POSTGRES} is away")
        except ConnectionError as error:
            raise ValueError(f'invalid dsn "host=head password={SECRET}"') from error

    log = tmp_path / "trial.log"
    job = Job(0, "one", None, None, tmp_path / "0.npz", log, epochs=1)
    event = perform(work, job, lambda event: None)
    assert isinstance(event, Failed)
    printed = log.read_text() + capfd.readouterr().err  # where pytest holds stderr
    assert SECRET not in event.error + printed
    assert "postgresql+psycopg2://ann:***@127.0.0.1:1/lab is away" in printed


def test_a_thread_that_fails_prints_its_traceback_without_the_password(capfd, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    redact_tracebacks()

    error = ValueError(POSTGRES)
    threading.excepthook(threading.ExceptHookArgs((ValueError, error, None, None)))
    err = capfd.readouterr().err
    assert "ValueError: postgresql+psycopg2://ann:***@127.0.0.1:1/lab" in err
    assert SECRET not in err


@pytest.fixture
def database(tmp_path):
    """A real PostgreSQL that asks the user lab for the password; the start of its address."""
    pytest.importorskip("psycopg2")
    spec = importlib.util.spec_from_file_location("cluster", ROOT / "examples" / "cluster.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    folder = Path("/var/tmp") / f"tripletlab-{os.getpid()}"  # which the user postgres may enter
    try:
        with example.postgres(folder) as address:
            require_password(address, folder)
            yield address.replace("lab@", f"lab:{PASSWORD}@"), example
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def require_password(address, folder):
    import psycopg2

    plain = address.replace("+psycopg2", "")
    with contextlib.closing(psycopg2.connect(f"{plain}/studies")) as one, one.cursor() as cursor:
        cursor.execute("ALTER USER lab PASSWORD %s", (f"{SECRET}@x y",))
        one.commit()
        (folder / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        cursor.execute("SELECT pg_reload_conf()")


def run(words, project, **variables):
    """All that a command prints, and all words of its processes; the exit status."""
    command = [sys.executable, "-m", "tripletlab", *words]
    with (
        (project / "printed").open("w+") as file,
        subprocess.Popen(
            command, cwd=project, stdout=file, stderr=file, env={**os.environ, **variables}
        ) as process,
    ):
        words, forks = [], set()
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):
                for one in psutil.Process(process.pid).children(recursive=True):
                    line = one.cmdline()
                    if line != command or one.pid in forks:
                        words += line
                    else:  # a fork has its parent's line for a moment, until its own program starts
                        forks.add(one.pid)
            time.sleep(0.2)
        file.seek(0)
        return process.returncode, file.read(), words


@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_a_real_sweep_in_postgresql_leaves_no_password_anywhere(database, tmp_path):
    address, example = database
    own = [f"studies={address}/studies", f"tracking.uri={address}/mlflow"]
    from_environment = ["studies=${oc.env:LAB}/studies", "tracking.uri=${oc.env:LAB}/mlflow"]
    sweep = ["sweep", *SMALL, "axes.miner=[hard]", "engine.workers=2"]
    for words in (
        [*sweep, *own],
        ["train", *SMALL, *from_environment[1:], "margin=0.3", "--register"],
        ["sweep", "status", *own],
        ["export", "champion", "bundle", "--far", "0.1", *own[1:]],
        ["evaluate", "champion", *own[1:]],
    ):
        status, printed, of_children = run(words, tmp_path, LAB=address)
        assert (status, SECRET in printed) == (0, False), printed[-3000:]
        assert not [word for word in of_children if SECRET in word]
    wrong = address.replace(SECRET, f"{SECRET}-wrong")
    for words in (
        [*sweep, f"studies={wrong}/studies", own[1]],
        [*sweep, own[0], f"tracking.uri={wrong}/mlflow"],
    ):
        status, printed, _ = run(words, tmp_path)
        assert (status, SECRET in printed) == (2, False), printed[-3000:]
        assert "password authentication failed" in printed
    assert list(tmp_path.rglob("config.yaml"))
    assert list(tmp_path.rglob("report.html"))
    assert not holding(tmp_path)
    for name in ("studies", "mlflow"):
        dump = [example.program("pg_dump"), f"{address.replace('+psycopg2', '')}/{name}"]
        done = subprocess.run(dump, capture_output=True, text=True, check=True)
        assert "COPY" in done.stdout
        assert SECRET not in done.stdout
