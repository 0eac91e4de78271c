"""A new database appears with all its tables, or not at all."""

import sqlite3
from contextlib import closing

import pytest

from tests.tracking.projects import tracker_in
from tripletlab.errors import InputError
from tripletlab.sweeping.storage import open_storage

pytestmark = pytest.mark.usefixtures("tables_made_anew")


def test_a_process_killed_while_the_tables_are_made_leaves_no_database(tmp_path, monkeypatch):
    from mlflow.store.db import utils

    with monkeypatch.context() as patch:
        patch.setattr(utils, "_upgrade_db", killed)  # the first tables are there by then
        with pytest.raises(KeyboardInterrupt):
            tracker_in(tmp_path / "mlruns").open()
    assert not (tmp_path / "mlruns" / "mlflow.db").exists()
    tracker = tracker_in(tmp_path / "mlruns")
    tracker.open()
    with tracker.run("one", params={}, tags={}) as run:
        run.metrics({"loss": 0.25})
    assert tracker.runs.history(run.run_id, "loss") == [(0, 0.25)]
    assert {one.name for one in (tmp_path / "mlruns").iterdir()} == {"mlflow.db", "live"}


def killed(_engine):
    raise KeyboardInterrupt


def test_an_empty_file_becomes_the_database(tmp_path):
    (tmp_path / "mlflow.db").touch()
    tracker_in(tmp_path).open()
    tracker_in(tmp_path).open_existing()


def test_half_a_database_is_named_as_that(tmp_path):
    database = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(database)) as base:
        base.execute("create table _alembic_tmp_endpoints (name text)")
        base.execute("create table experiments (name text)")
        base.commit()
    with pytest.raises(InputError, match=r"has half of MLflow's tables.*delete it"):
        tracker_in(tmp_path).open()


def test_a_database_of_studies_is_no_store(tmp_path):
    uri = f"sqlite:///{tmp_path / 'optuna.db'}"
    open_storage(uri)
    with pytest.raises(InputError, match=r"optuna.db: the tables are of another program"):
        tracker_in(tmp_path / "mlruns", uri=uri).open()


def test_a_folder_that_cannot_be_made_is_a_line(tmp_path):
    (tmp_path / "file").touch()
    uri = f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}"
    with pytest.raises(InputError, match=r"mlflow\.db: cannot be written"):
        tracker_in(tmp_path / "mlruns", uri).open()
