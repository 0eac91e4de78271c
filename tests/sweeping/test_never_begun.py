"""A sweep whose workers cannot start."""

import sys

import pytest

from tests.stores import SMALL
from tripletlab.errors import InputError
from tripletlab.sweeping.status import status
from tripletlab.sweeping.sweep import sweep


def test_without_ray_it_leaves_neither_study_nor_run(tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    with pytest.raises(InputError, match="ray"):
        sweep([*SMALL, "engine=ray"], fresh=False, dry_run=False)
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}")
    assert client.search_runs([client.get_experiment_by_name("tripletlab").experiment_id]) == []
    with pytest.raises(InputError, match="no sweep has run here yet"):
        status([])
