"""A sweep on Ray, PostgreSQL and an MLflow server, all real processes: pytest -m cluster."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import open_folder
from tests.stores import SMALL
from tripletlab.errors import InputError
from tripletlab.sweeping.ray_engine import Cluster

ROOT = Path(__file__).parents[2]
LONGER = [*SMALL, "batches.steps=40", "fit.epochs=4", "fit.patience=4"]


@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_a_killed_node_costs_no_trial():
    pytest.importorskip("ray")
    pytest.importorskip("psycopg2")
    command = [sys.executable, str(ROOT / "examples" / "cluster.py")]
    with open_folder() as folder:
        words = [*command, str(folder), "--kill-node", *LONGER]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "killing the second node" in done.stdout
    assert "worker lost" in done.stderr
    for model in ("semihard 0.2", "semihard 0.4", "hard 0.2", "hard 0.4"):
        assert f"│ {model} " in done.stdout
    assert "champion: tripletlab-synthetic-people-" in done.stdout


@pytest.mark.cluster
def test_a_cluster_that_is_not_there():
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=r"engine.address=127.0.0.1:1"):
        Cluster(address="127.0.0.1:1", workers=1, cpus=1, gpus=0).open(lambda job, reporter: {})


def test_a_closed_folder_is_refused_and_stays_closed(tmp_path):
    spec = importlib.util.spec_from_file_location("cluster", ROOT / "examples" / "cluster.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(SystemExit, match="closed to other users"):
        example.refuse_closed(closed / "lab")
    assert closed.stat().st_mode & 0o777 == 0o700
    assert not (closed / "lab").exists()
