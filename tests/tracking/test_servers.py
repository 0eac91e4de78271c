"""MLflow's servers."""

import socket

from tripletlab.cli import main


def test_pages_on_a_taken_port_are_refused(finished, monkeypatch, capfd):
    project, _ = finished
    monkeypatch.chdir(project)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["ui", "--port", port, "tracking.experiment=test"]) == 2
    assert f"--port {port}: Address already in use" in capfd.readouterr().err
