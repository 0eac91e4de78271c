"""MLflow's servers, on the loopback interface: its pages, and a registered model."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tripletlab.errors import InputError

LOOPBACK = "127.0.0.1"


def serve_model(model: str, *, uri: str, port: int) -> None:
    """Serve NAME/version from the registry at `uri` until it is stopped.

    InputError where the port is taken, or the server ends by itself.
    """
    command = ["models", "serve", "--model-uri", f"models:/{model}", "--env-manager", "local"]
    _run(command, port=port, settings={"MLFLOW_TRACKING_URI": uri})


def serve_pages(uri: str, *, port: int) -> None:
    """Serve MLflow's pages of the runs at `uri` until it is stopped.

    InputError where the port is taken, or the server ends by itself.
    """
    if uri.startswith("http"):
        raise InputError(f"{uri} is a server with pages of its own: open it in the browser")
    # The address of the store stays out of the list of processes: it may hold a password
    settings = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_REGISTRY_STORE_URI": uri}
    _run(["ui"], port=port, settings=settings)


def _run(arguments: list[str], *, port: int, settings: Mapping[str, str]) -> None:
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
        try:
            status = server.wait()
        except BaseException:
            server.terminate()
            raise
    raise InputError(f"MLflow's server has ended by itself, with status {status}")
