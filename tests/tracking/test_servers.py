"""MLflow's servers."""

import socket
import subprocess

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


def test_the_page_is_printed_and_opened_as_soon_as_the_server_answers(monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(servers.webbrowser, "open", opened.append)
    with socket.socket() as answering, subprocess.Popen(["sleep", "60"]) as process:
        answering.bind(("127.0.0.1", 0))
        answering.listen()
        port = answering.getsockname()[1]
        servers._open(process, port, "#/experiments/1/runs")
        process.kill()
    address = f"http://127.0.0.1:{port}/#/experiments/1/runs"
    assert opened == [address]
    assert capsys.readouterr().out == f"{address}\n"


def test_a_server_that_has_ended_opens_nothing(monkeypatch):
    monkeypatch.setattr(servers.webbrowser, "open", lambda address: pytest.fail(address))
    with subprocess.Popen(["true"]) as process:
        process.wait()
        servers._open(process, 9, "")
