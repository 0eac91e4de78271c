"""A bundle is served: the command that the docs give, and what it refuses."""

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pytest

from tests.experiment.exported import bomb, plain_photo
from tripletlab.cli import main


@pytest.fixture
def served(exportable, tmp_path):
    """The newest bundle, served by the command that the docs give; its port."""
    _, places, run_id = exportable
    assert main(["export", run_id, str(tmp_path / "bundle"), *places, "--far", "0.1"]) == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tripletlab", "serve", places[0], "--port", str(port)]
    env = {**os.environ, "PATH": "/usr/bin:/bin"}  # without the folder of uvicorn
    with subprocess.Popen(command, env=env, cwd=tmp_path, start_new_session=True) as server:
        try:
            yield wait_for(port, server)
            server.terminate()
            assert server.wait(30) == 130
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), 1)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def wait_for(port, server):
    for _ in range(600):
        assert server.poll() is None, "the server has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return port
        time.sleep(0.1)
    raise AssertionError("no answer in a minute")


def ask(port, *photos):
    """The status and the answer to a request with these photos."""
    rows = [[base64.b64encode(photo).decode()] for photo in photos]
    body = json.dumps({"dataframe_split": {"columns": ["photo"], "data": rows}}).encode()
    url, headers = f"http://127.0.0.1:{port}/invocations", {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def preflight(port, host):
    """The answer to a browser that asks whether a page of another site may send photos."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asked = {"Access-Control-Request-Method": "POST", "Origin": "http://attacker.example"}
    connection.request("OPTIONS", "/invocations", headers={"Host": host, **asked})
    with contextlib.closing(connection):
        return connection.getresponse()


def test_it_is_served_and_what_is_no_photo_is_refused(exportable, served, capfd):
    photo = sorted(exportable[0].glob("photos/*/1.jpg"))[0].read_bytes()
    status, answer = ask(served, photo, plain_photo())
    (face,), none = answer["predictions"]
    assert (status, none, len(face["box"])) == (200, [], 3)
    assert np.linalg.norm(face["embedding"]) == pytest.approx(1, abs=1e-5)
    for refused in (bomb(), b"no photo", b""):
        status, answer = ask(served, photo, refused)
        assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert "photo 1: not a photo that can be read, or one of more" in answer["message"]
    assert ask(served, photo)[0] == 200
    assert preflight(served, f"attacker.example:{served}").status == 400  # not a name of this one
    assert preflight(served, f"localhost:{served}").status == 405
    assert not preflight(served, f"localhost:{served}").getheader("Access-Control-Allow-Origin")
    assert main(["serve", exportable[1][0], "--port", str(served)]) == 2
    assert f"--port {served}: Address already in use" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [([], "no runs are here"), (["NAME-photos/9"], "no runs are here"),
     (["a", "b"], "one model at a time"), (["seed=1"], "seed")],
)  # fmt: skip
def test_what_cannot_be_served_is_one_line(words, hint, tmp_path, capfd):
    assert main(["serve", *words, f"tracking.folder={tmp_path / 'mlruns'}"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert hint in line
