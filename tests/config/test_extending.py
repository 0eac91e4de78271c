"""docs/extending.md, done in a temporary folder: one's own code is a choice and an axis."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.stores import SMALL

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
FILES = {  # of the page's YAML blocks, by what they name
    "my_lab.nearest": "miner/nearest.yaml",
    "my_lab.wide": "architecture/wide.yaml",
    "keras.optimizers.SGD": "optimizer/sgd.yaml",
    "my_lab.noise": "augmentation/noise.yaml",
}


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """The folder that the page describes, written from the page."""
    folder = tmp_path_factory.mktemp("mine")
    page = PAGE.read_text()
    code = [one for one in re.findall(r"```python\n(.*?)```", page, re.S) if "def " in one]
    (folder / "my_lab.py").write_text("\n\n".join(code))
    for block in re.findall(r"```yaml\n(.*?)```", page, re.S):
        place = folder / "conf" / FILES[re.search(r"_target_: (\S+)", block)[1]]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(block)
    return folder


def tripletlab(mine, *words, config_dir=True):
    more = ["--config-dir", str(mine / "conf")] if config_dir else []
    command = [sys.executable, "-m", "tripletlab", *more, *words]
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    return subprocess.run(command, cwd=mine, env=environment, capture_output=True, text=True)


CHOICES = ["miner=nearest", "architecture=wide", "optimizer=sgd", "augmentation=noise"]
TINY = [one for one in SMALL if not one.startswith("architecture")]


def test_a_run_of_ones_own_code(mine):
    done = tripletlab(mine, "train", *CHOICES, *TINY)
    assert done.returncode == 0, done.stderr
    client = MlflowClient(f"sqlite:///{mine / 'mlruns' / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("tripletlab").experiment_id])
    assert run.data.params["miner"] == "nearest"
    assert run.data.params["optimizer.momentum"] == "0.9"
    assert run.data.metrics["cost/flops"] > 0


def test_a_choice_is_an_axis(mine):
    axes = ["axes.miner=[nearest,semihard]", "axes.margin=[0.2]", "architecture=wide"]
    done = tripletlab(mine, "sweep", "--dry-run", *axes)
    assert done.returncode == 0, done.stderr
    assert "nearest" in done.stderr  # where tables of what is planned are printed


def test_the_help_lists_it(mine):
    assert "the nearest negative of every pair" in tripletlab(mine, "train", "--help").stdout


def test_without_the_folder_it_is_no_choice(mine):
    done = tripletlab(mine, "train", "miner=nearest", config_dir=False)
    assert done.returncode == 2
    assert "miner is one of" in done.stderr


def test_a_folder_that_is_not_there_is_one_line(mine):
    done = tripletlab(mine, "--config-dir", "nowhere", "train", config_dir=False)
    assert done.returncode == 2
    assert "no such folder" in done.stderr
