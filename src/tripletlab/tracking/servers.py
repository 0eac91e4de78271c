"""MLflow's servers, on the loopback interface: its pages, and a registered model."""

import os
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.system.progress import say

LOOPBACK = "127.0.0.1"
QUIET = {  # only warnings; no tasks in the background; nothing is reported to anyone
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONWARNINGS": "ignore",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def serve_model(model: str, *, uri: str, port: int) -> None:
    """Serve NAME/version from the registry at `uri` until it is stopped.

    InputError where the port is taken, or the server ends by itself.
    """
    command = ["models", "serve", "--model-uri", f"models:/{model}", "--env-manager", "local"]
    _run(command, port=port, settings={"MLFLOW_TRACKING_URI": uri})


def serve_pages(uri: str, *, port: int, page: str) -> None:
    """Serve MLflow's pages of the runs at `uri` until it is stopped, and open one in the browser.

    `page` is its address after that of the server, which is printed with it. InputError where the
    port is taken, or the server ends by itself.
    """
    if uri.startswith("http"):
        raise InputError(f"{uri} is a server with pages of its own: open {uri}/{page}")
    # The address of the store stays out of the list of processes: it may hold a password
    settings = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_REGISTRY_STORE_URI": uri}
    command = ["ui", "--workers", "1", "--uvicorn-opts", "--log-level warning"]
    _run(command, port=port, settings=settings | QUIET, page=page)


def _run(
    arguments: list[str], *, port: int, settings: Mapping[str, str], page: str | None = None
) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise InputError(f"--port {port}: {error.strerror}; give another one") from error
    command = [sys.executable, "-m", "mlflow", *arguments, "--host", LOOPBACK, "--port", str(port)]
    # MLflow starts uvicorn by its name; it lies beside this environment's Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    with subprocess.Popen(command, env={**os.environ, "PATH": path, **settings}) as server:
        if page is not None:
            threading.Thread(target=_open, args=(server, port, page), daemon=True).start()
        try:
            status = server.wait()
        except BaseException:
            server.terminate()
            raise
    raise InputError(f"MLflow's server has ended by itself, with status {status}")


def _open(server: "subprocess.Popen[bytes]", port: int, page: str) -> None:
    """Open a page of the server as soon as it answers, and print its address."""
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                address = f"http://{LOOPBACK}:{port}/{page}"
                print(address, flush=True)
                say("Ctrl-C stops the server.")
                webbrowser.open(address)
                return
        time.sleep(0.2)
