"""MLflow's servers."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from tripletlab.cli import main
from tripletlab.tracking import servers


def test_pages_on_a_taken_port_are_refused(finished, monkeypatch, capfd):
    project, _ = finished
    monkeypatch.chdir(project)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["ui", "--port", port, "tracking.experiment=test"]) == 2
    assert f"--port {port}: Address already in use" in capfd.readouterr().err


@pytest.mark.parametrize("browse", [True, False])
def test_the_page_is_printed_as_soon_as_the_server_answers(browse, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(servers.webbrowser, "open", opened.append)
    with socket.socket() as answering, subprocess.Popen(["sleep", "60"]) as process:
        answering.bind(("127.0.0.1", 0))
        answering.listen()
        port = answering.getsockname()[1]
        servers._ready(process, "0.0.0.0", port, "#/experiments/1/runs", browse)
        process.kill()
    address = f"http://127.0.0.1:{port}/#/experiments/1/runs"
    assert opened == [address] * browse
    assert capsys.readouterr().out == f"{address}\n"


def test_a_server_that_has_ended_opens_nothing(monkeypatch):
    monkeypatch.setattr(servers.webbrowser, "open", lambda address: pytest.fail(address))
    with subprocess.Popen(["true"]) as process:
        process.wait()
        servers._ready(process, "127.0.0.1", 9, "", True)


FOREIGN = "10.attacker.example"  # which MLflow's own pattern of private addresses allows


@contextlib.contextmanager
def pages(project, host, *, words=()):
    """`tripletlab ui` of a project, with all of MLflow's protection switched off around it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "tripletlab", "ui", "--port", str(port), "tracking.experiment=test", *words]
    env = {
        **{**os.environ, "BROWSER": "true", "MLFLOW_SERVER_ALLOWED_HOSTS": "*"},
        **{"MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": "*"},
        **{"MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true"},
    }
    with subprocess.Popen(
        [sys.executable, *command, "--host", host],
        cwd=project,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as server:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                assert server.poll() is None, server.stderr.read()
                time.sleep(0.1)
            yield server, port
        finally:
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.killpg(server.pid, signal.SIGKILL)


def search(port, **headers):
    """The status of a search for runs, a POST with these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"experiment_ids": ["1"]})
    headers = {"Content-Type": "application/json", **headers}
    connection.request("POST", "/api/2.0/mlflow/runs/search", body, headers)
    with contextlib.closing(connection):
        return connection.getresponse().status


@pytest.mark.slow
def test_the_pages_refuse_what_other_sites_send(finished):
    with pages(finished[0], "127.0.0.1") as (server, port):
        own = f"127.0.0.1:{port}"
        assert search(port, Host=own, Origin=f"http://{own}") == 200
        assert search(port, Host=f"localhost:{port}") == 200
        assert search(port, Host=f"{FOREIGN}:{port}") == 403
        assert search(port, Host=f"192.168.0.9:{port}") == 403
        assert search(port, Origin=f"http://{FOREIGN}") == 403
        assert search(port, Origin="null") == 403
        listening = [
            one.laddr.ip
            for process in [psutil.Process(server.pid), *psutil.Process(server.pid).children(True)]
            for one in process.net_connections("inet")
            if one.status == psutil.CONN_LISTEN
        ]
        assert set(listening) == {"127.0.0.1"}
        os.killpg(server.pid, signal.SIGTERM)
        said = " ".join(server.communicate()[1].split())
    assert "Ctrl-C stops the server." in said
    assert "Rejected request" in said
    assert "middleware" not in said


@pytest.mark.slow
def test_pages_for_the_network_warn_and_refuse_what_other_sites_send(finished):
    with pages(finished[0], "0.0.0.0") as (server, port):
        name = f"{socket.gethostname()}:{port}"
        assert search(port, Host=name, Origin=f"http://{name}") == 200
        assert search(port, Host=f"{FOREIGN}:{port}") == 403
        assert search(port, Host=name, Origin=f"http://{FOREIGN}") == 403
        os.killpg(server.pid, signal.SIGTERM)
        said = " ".join(server.communicate()[1].split())
    assert (
        "--host 0.0.0.0: no password is asked for, so anybody who reaches this machine can" in said
    )


def test_only_a_server_for_the_network_knows_this_machine_by_other_names():
    assert servers._names("127.0.0.1") == ["127.0.0.1", "localhost"]
    assert {"127.0.0.1", "localhost", socket.gethostname()} <= set(servers._names("0.0.0.0"))
    assert not [
        name for host in ("127.0.0.1", "0.0.0.0") for name in servers._names(host) if "*" in name
    ]


def test_a_host_that_is_not_of_this_machine_is_refused(finished, monkeypatch, capfd):
    monkeypatch.chdir(finished[0])
    for host in ("192.0.2.1", "no such host", "::"):
        assert main(["ui", "--host", host, "tracking.experiment=test"]) == 2
        assert f"tripletlab: --host {host}: " in capfd.readouterr().err
