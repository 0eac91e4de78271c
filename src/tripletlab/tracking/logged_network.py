"""The network of a run, as MLflow keeps it."""

import contextlib
import io
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.tracking import store

if TYPE_CHECKING:
    import keras
    from mlflow.entities import LoggedModel

NETWORK = "embedder"  # the name of a run's network among its models


def log_network(embedder: "keras.Model", *, run_id: str) -> None:
    """Log a run's network; a continued run that has logged its network already keeps that."""
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    if logged_model(run_id):
        return
    for unfinished in _networks(run_id):  # of a process that was killed meanwhile
        store.client().delete_logged_model(unfinished.model_id)

    def tensor(shape: tuple[Any, ...]) -> Schema:
        return Schema([TensorSpec(np.dtype(np.float32), (-1, *shape[1:]))])

    needs = [f"{package}=={version(package)}" for package in ("keras", "tensorflow", "numpy")]
    signature = ModelSignature(tensor(embedder.input_shape), tensor(embedder.output_shape))
    with contextlib.redirect_stderr(io.StringIO()):  # notes that would cut through the bar
        Model.log(
            artifact_path=None,
            name=NETWORK,
            run_id=run_id,
            flavor=_KerasFlavor,
            flavor_name="mlflow.keras",
            model=embedder,
            signature=signature,
            input_example=_synthetic_face(embedder.input_shape[1]),
            validate_serving_input=False,  # it would load and run the network once more
            pip_requirements=needs,
        )


def logged_model(run_id: str) -> "LoggedModel | None":
    """The network that a run has logged; None where there is none, or it was deleted."""
    return next((one for one in _networks(run_id) if one.status == "READY"), None)


def _networks(run_id: str) -> "Sequence[LoggedModel]":
    client = store.client()
    found: Sequence[LoggedModel] = client.search_logged_models(
        [client.get_run(run_id).info.experiment_id],
        filter_string=f"source_run_id = '{run_id}' AND name = '{NETWORK}'",
    )
    return found


class _KerasFlavor:
    """mlflow.keras, which needs an existing folder to save an input example (mlflow#16183)."""

    @staticmethod
    def save_model(path: str, *, validate_serving_input: bool, **settings: Any) -> None:
        """Save a network into a new folder."""
        import mlflow.keras

        Path(path).mkdir()
        mlflow.keras.save_model(path=path, **settings)


def _synthetic_face(size: int) -> NDArray[np.float32]:
    """A drawn person (1, size, size, 1): no real photo goes with a model."""
    from tripletlab.photos.conditions import draw_circumstance  # OpenCV comes with them
    from tripletlab.photos.person import draw_person
    from tripletlab.photos.rendering import render

    rng = np.random.default_rng(0)
    photo = render(draw_person(rng), draw_circumstance(rng), size=size)  # (size, size, 3)
    return np.asarray(photo.mean(axis=-1, keepdims=True).round()[None], np.float32)
