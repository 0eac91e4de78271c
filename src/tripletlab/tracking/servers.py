"""MLflow's servers: its pages, and a registered model.

They listen on the loopback interface unless another is asked for, and answer only requests that
name this machine.
"""

import errno
import os
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path

import psutil

from tripletlab.errors import InputError
from tripletlab.system.progress import say
from tripletlab.system.redaction import redacted

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"
LOCAL = (LOOPBACK, "localhost")
PORT = (errno.EADDRINUSE, errno.EACCES)  # what is wrong with a port, and not with the host
NOTE = b"Security middleware enabled"  # of MLflow, at every start
QUIET = {  # nothing is reported, nothing runs in the background, other sites' requests are refused
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONWARNINGS": "ignore",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "false",
}


def serve_model(model: str, *, uri: str, host: str, port: int) -> None:
    """Serve NAME/version from the registry at `uri` on an interface until it is stopped.

    InputError where the port cannot be had, or the server ends by itself.
    """
    # As a script, and without its folder among the modules: the model brings its own package
    script = str(Path(__file__).with_name("scoring_server.py"))
    words = ["-P", script, f"models:/{model}", host, str(port), *_names(host)]
    settings = {"MLFLOW_TRACKING_URI": uri}
    risk = "send it photos, and search the results"
    _run(words, host=host, port=port, settings=settings, risk=risk, page="invocations")


def serve_pages(uri: str, *, host: str, port: int, page: str) -> None:
    """Serve MLflow's pages of the runs at `uri` on an interface until it is stopped.

    Opens `page`, an address after that of the server, in the browser, and prints it. InputError
    where the port cannot be had, or the server ends by itself.
    """
    if uri.startswith("http"):
        shown = redacted(uri)
        raise InputError(f"{shown} is a server with pages of its own: open {shown}/{page}")
    # The address of the store stays out of the list of processes: it may hold a password
    settings = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_REGISTRY_STORE_URI": uri}
    names = [name for one in _names(host) for name in (one, f"{one}:{port}")]
    words = ["-m", "mlflow", "ui", "--host", host, "--port", str(port), "--workers", "1"]
    words += ["--uvicorn-opts", "--log-level warning", "--allowed-hosts", ",".join(names)]
    words += ["--cors-allowed-origins", ",".join(f"http://{name}" for name in names)]
    risk = "read, change and delete these runs"
    _run(words, host=host, port=port, settings=settings | QUIET, risk=risk, page=page, browse=True)


def _names(host: str) -> list[str]:
    """The names and addresses by which a server that listens on `host` may be asked for.

    Another one is that of a page elsewhere whose name leads here (DNS rebinding).
    """
    if host in LOCAL:
        return list(LOCAL)
    found = [one.address for cards in psutil.net_if_addrs().values() for one in cards]
    addresses = [one for one in found if one.count(".") == 3]
    name = socket.gethostname()
    return list(dict.fromkeys([*LOCAL, *addresses, host, name, name.partition(".")[0]]))


def _run(
    words: list[str],
    *,
    host: str,
    port: int,
    settings: Mapping[str, str],
    risk: str,
    page: str,
    browse: bool = False,
) -> None:
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        option = "--port" if error.errno in PORT else "--host"
        value = port if error.errno in PORT else host
        raise InputError(f"{option} {value}: {error.strerror}; give another one") from error
    if host not in LOCAL:
        say(
            f"--host {host}: no password is asked for, so anybody who reaches this machine can"
            f" {risk}; docs/cluster.md says how to ask for one"
        )
    # MLflow starts uvicorn by its name; it lies beside this environment's Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    env = {**os.environ, "PATH": path, **settings}
    with subprocess.Popen([sys.executable, *words], env=env, stderr=subprocess.PIPE) as server:
        log = threading.Thread(target=_pass_on, args=(server,), daemon=True)
        log.start()
        ready = threading.Thread(
            target=_ready, args=(server, host, port, page, browse), daemon=True
        )
        ready.start()
        try:
            status = server.wait()
        except BaseException:
            server.terminate()
            raise
        log.join(timeout=2)
    raise InputError(f"the server has ended by itself, with status {status}")


def _pass_on(server: "subprocess.Popen[bytes]") -> None:
    """Write what a server writes to stderr, without the note on what protects it."""
    for line in server.stderr or ():
        if NOTE not in line:
            os.write(2, line)


def _ready(
    server: "subprocess.Popen[bytes]", host: str, port: int, page: str, browse: bool
) -> None:
    """Print the address of a page as soon as the server answers, and open it if `browse`."""
    host = LOOPBACK if host == EVERYWHERE else host
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                address = f"http://{host}:{port}/{page}"
                print(address, flush=True)
                say("Ctrl-C stops the server.")
                if browse:
                    webbrowser.open(address)
                return
        time.sleep(0.2)
