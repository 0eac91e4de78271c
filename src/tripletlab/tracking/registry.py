"""MLflow's registry: which version is meant, its network, and bundles as models that serve."""

import contextlib
import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tripletlab.errors import InputError
from tripletlab.system.progress import say
from tripletlab.system.provenance import PACKAGE
from tripletlab.tracking import store
from tripletlab.tracking.runs import CHAMPION, PROMOTED, Gone

if TYPE_CHECKING:
    import keras
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

SERVING = ("mlflow", "numpy", "onnxruntime", "opencv-python-headless", "pydantic", "rich")
LOOPBACK = "127.0.0.1"
PHOTOS = "-photos"  # ends the name of a bundle that is registered as a model


class Registered(NamedTuple):
    """A version of a registered model, and the run that it came from."""

    model: str
    version: str
    run_id: str


class Told(NamedTuple):
    """What a run has left behind: its last metrics, its params and its tags."""

    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]


def find(which: str, *, uri: str) -> Registered:
    """The version meant by `champion`, MODEL@champion, MODEL/version, a version or a run's id.

    Where several models have a champion, that of the model that was last trained or promoted is
    meant, and it is said which. InputError where no version is meant, or more than one, with what
    there is to choose from at `uri`.
    """
    model, at, alias = which.partition("@")
    if not at:
        model, _, alias = which.rpartition("/")
    found = _champions(model) if alias == CHAMPION else _versions(model, alias)
    if alias == CHAMPION and len(found) > 1:
        others = ", ".join(f"{one.name}@{CHAMPION}" for one in found[1:4])
        say(f"{which}: that of {found[0].name}, trained last; there are also {others}")
        found = found[:1]
    if len(found) != 1:
        raise InputError(_not_one(which, found, uri))
    return Registered(found[0].name, str(found[0].version), found[0].run_id)


def _models() -> "list[RegisteredModel]":
    """All registered networks, the last trained or promoted first."""
    client = store.client()
    models = [
        one
        for one in _all(lambda token: client.search_registered_models(page_token=token))
        if not one.name.endswith(PHOTOS)
    ]
    return sorted(
        models,
        key=lambda one: max(one.last_updated_timestamp or 0, int(one.tags.get(PROMOTED, 0))),
        reverse=True,
    )


def _champions(model: str) -> "list[ModelVersion]":
    client = store.client()
    return [
        client.get_model_version_by_alias(one.name, CHAMPION)
        for one in _models()
        if CHAMPION in one.aliases and model in ("", one.name)
    ]


def _versions(model: str, which: str) -> "list[ModelVersion]":
    """Those of a number, or of a run; the store looks for them, since every trial makes one."""
    client = store.client()
    if which.isascii() and which.isdecimal():
        query = f"version_number = {int(which)}"
    elif re.fullmatch(r"[0-9a-f]{32}", which):
        query = f"run_id = '{which}'"
    else:
        return []
    found = _all(lambda token: client.search_model_versions(query, page_token=token))
    return [one for one in found if model in ("", one.name) and not one.name.endswith(PHOTOS)]


def _all(page: Callable[[str | None], Any]) -> list[Any]:
    """The entities of every page of a search."""
    found, token = [], None
    while True:
        part = page(token)
        found += part
        if not (token := part.token):
            return found


def _not_one(which: str, found: "list[ModelVersion]", uri: str) -> str:
    names = [f"{one.name}/{one.version}" for one in found] or [
        f"{one.name}/{latest.version}"
        for one in _models()
        for latest in (one.latest_versions or [])[:1]
    ]
    if not names:
        return f"{which}: no such model in {uri}; run `tripletlab sweep` first"
    number = f"{len(found)} models are" if found else "no model is"
    return f"{which}: {number} meant by that; there are {', '.join(names[:4])}"


def told(run_id: str) -> Told:
    """What a run has left behind."""
    from mlflow.exceptions import MlflowException

    try:
        data = store.client().get_run(run_id).data
    except MlflowException as error:
        raise Gone(f"the run {run_id} was deleted in MLflow") from error
    return Told(data.metrics, data.params, data.tags)


def load(chosen: Registered) -> "keras.Model":
    """The network of a registered version."""
    import mlflow.keras
    from mlflow.exceptions import MlflowException

    settings = {"compile": False}
    try:
        # Not by its name: MLflow would write a note beside the files, which may be read-only
        uri = store.client().get_model_version_download_uri(chosen.model, chosen.version)
        return store.patiently(lambda: mlflow.keras.load_model(uri, load_model_kwargs=settings))
    except (MlflowException, OSError) as error:
        raise Gone(
            f"{chosen.model}/{chosen.version}: its files are not there, or were deleted in MLflow"
        ) from error


def register_bundle(chosen: Registered, bundle: Path) -> str:
    """Register a bundle as a model that takes photos, for `mlflow models serve`; its version.

    It carries the package's own code, and needs the packages of recognition alone.
    """
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    with contextlib.redirect_stderr(io.StringIO()):  # notes for who writes such models
        info = mlflow.pyfunc.log_model(
            name="photos",
            python_model=str(PACKAGE / "tracking" / "serving.py"),
            artifacts={"bundle": str(bundle)},
            code_paths=[str(PACKAGE)],
            pip_requirements=[f"{one}=={version(one)}" for one in SERVING],
            signature=ModelSignature(Schema([ColSpec("binary", "photo")])),
            registered_model_name=chosen.model + PHOTOS,
            tags={"run_id": chosen.run_id, "model_version": chosen.version},
        )
    return str(info.registered_model_version)


def find_photo_model(which: str | None) -> str:
    """The NAME/version of a registered bundle, the newest if none is given.

    InputError where there is no such one, with those that there are.
    """
    client, query, newest = store.client(), f"name LIKE '%{PHOTOS}'", ["creation_timestamp DESC"]
    found = _all(
        lambda token: client.search_model_versions(query, order_by=newest, page_token=token)
    )
    known = [f"{one.name}/{one.version}" for one in found]
    if not known:
        raise InputError("no bundle is registered; run `tripletlab export champion FOLDER` first")
    if which is not None and which not in known:
        raise InputError(f"{which}: no such bundle is registered; there are {', '.join(known[:4])}")
    return which or known[0]


def serve_photos(model: str, *, uri: str, port: int) -> None:
    """Serve a registered bundle on the loopback interface until it is stopped.

    InputError where the port is taken, or the server ends by itself.
    """
    command = ["models", "serve", "--model-uri", f"models:/{model}", "--env-manager", "local"]
    _run_server(command, port=port, settings={"MLFLOW_TRACKING_URI": uri})


def serve_pages(uri: str, *, port: int) -> None:
    """Serve MLflow's pages on the loopback interface until it is stopped.

    InputError where the port is taken, or the server ends by itself.
    """
    if uri.startswith("http"):
        raise InputError(f"{uri} is a server with pages of its own: open it in the browser")
    # The address of the store stays out of the list of processes: it may hold a password
    settings = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_REGISTRY_STORE_URI": uri}
    _run_server(["ui"], port=port, settings=settings)


def _run_server(arguments: list[str], *, port: int, settings: dict[str, str]) -> None:
    """Run one of MLflow's servers; InputError where it cannot be, or ends by itself."""
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
