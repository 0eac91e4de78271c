"""A tracker in a folder, and what lies in a folder."""

from mlflow import MlflowClient

from tripletlab.tracking.tracker import Tracker

SECRET = "s3cr3t"


def tracker_in(folder, uri=None):
    return Tracker(str(folder), "test", uri or f"sqlite:///{folder / 'mlflow.db'}")


def listing(folder):
    return {str(one): (one.stat().st_mtime_ns, one.stat().st_size) for one in folder.rglob("*")}


def status(run_id):
    return MlflowClient().get_run(run_id).info.status
