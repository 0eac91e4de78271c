"""A tracker in a folder, and what lies in a folder."""

import keras
from mlflow import MlflowClient

from tripletlab.evaluation.metrics import SCORE
from tripletlab.tracking.logged_network import NETWORK, logged_model
from tripletlab.tracking.tracker import Tracker

SECRET = "s3cr3t"
FACES = {"photos": "synthetic people", "faces_fingerprint": "ab" * 32}
NAME = "tripletlab-synthetic-people-abababab"  # the model of networks trained on them


def tracker_in(folder, uri=None):
    return Tracker(str(folder), "test", uri or f"sqlite:///{folder / 'mlflow.db'}")


def listing(folder):
    return {str(one): (one.stat().st_mtime_ns, one.stat().st_size) for one in folder.rglob("*")}


def status(run_id):
    return MlflowClient().get_run(run_id).info.status


def network():
    """Faces of 32 pixels to embeddings of 3 numbers."""
    layers = [keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    return keras.Sequential(layers)


def logged_run(tracker, score, *, faces=FACES):
    """A finished run with a score and a network without files; returns its id."""
    client = MlflowClient()
    with tracker.run(f"of {score}", params={}, tags=faces) as run:
        run.metrics({SCORE: score})
        experiment = client.get_run(run.run_id).info.experiment_id
        made = client.create_logged_model(experiment, name=NETWORK, source_run_id=run.run_id)
        client.finalize_logged_model(made.model_id, status="READY")
    return run.run_id


def delete_network(run_id):
    MlflowClient().delete_logged_model(logged_model(run_id).model_id)


def versions():
    """The registered versions, as pairs of a name and a run's id."""
    return [(one.name, one.run_id) for one in MlflowClient().search_model_versions()]
