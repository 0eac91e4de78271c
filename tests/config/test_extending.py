"""docs/extending.md, done in a temporary folder: one's own code is a choice and an axis."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.stores import SMALL
from tripletlab.evaluation.metrics import METRICS

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
FILES = {  # of the page's YAML blocks, by what they name
    "my_lab.nearest": "miner/nearest.yaml",
    "my_lab.wide": "architecture/wide.yaml",
    "keras.optimizers.SGD": "optimizer/sgd.yaml",
    "my_lab.noise": "augmentation/noise.yaml",
    "my_lab.middle": "faces/detector/middle.yaml",
    "my_lab.close_strangers": "metrics/mine.yaml",
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


CHOICES = {
    "miner": "nearest",
    "architecture": "wide",
    "optimizer": "sgd",
    "augmentation": "noise",
    "faces/detector": "middle",
    "metrics": "mine",
}
OBJECTIVE, COLUMNS = re.findall(r"'((?:objectives|columns)=.*?)'", PAGE.read_text())
TINY = [one for one in SMALL if not one.startswith("architecture")]


@pytest.mark.slow
def test_a_run_of_ones_own_code_and_another_when_the_code_changes(mine):
    words = ["train", *map("=".join, CHOICES.items()), *TINY]
    done = tripletlab(mine, *words)
    assert done.returncode == 0, done.stderr
    client = MlflowClient(f"sqlite:///{mine / 'mlruns' / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("tripletlab").experiment_id])
    assert run.data.params.items() >= CHOICES.items()
    assert run.data.params["optimizer.momentum"] == "0.9"
    assert run.data.metrics["cost/flops"] > 0
    own = {f"{source}/close_strangers" for source in ("val", "test")}
    assert run.data.metrics.keys() == METRICS.keys() | own
    found = re.findall(r"^(\w+)/close_strangers\t(.*)$", done.stdout, re.M)
    assert [source for source, _ in found] == ["val", "test"]
    for source, value in found:
        assert value == f"{run.data.metrics[f'{source}/close_strangers']:.4f}"
        assert 0 < float(value) <= 1

    same = tripletlab(mine, *words)  # the run is there already
    assert same.stdout == done.stdout
    code = mine / "my_lab.py"
    code.write_text(code.read_text().replace("[:, :1]", "[:, 1:2]"))  # the next to nearest one
    changed = tripletlab(mine, *words)
    assert changed.returncode == 0, changed.stderr
    assert changed.stdout.splitlines()[-1] != done.stdout.splitlines()[-1]


def test_a_choice_is_an_axis(mine):
    axes = ["axes.miner=[nearest,semihard]", "axes.margin=[0.2]", "architecture=wide"]
    done = tripletlab(mine, "sweep", "--dry-run", *axes)
    assert done.returncode == 0, done.stderr
    assert "nearest" in done.stderr  # where tables of what is planned are printed


def test_a_miner_is_given_the_dimensions_of_a_network_of_ones_own(mine):
    words = ["train", "--config", "architecture=wide", "miner=distance_weighted"]
    (advised,) = re.findall(r"`(miner\.dim=\d+)`", PAGE.read_text())
    assert "architecture.embedding_dim" in tripletlab(mine, *words).stderr
    done = tripletlab(mine, *words, advised)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("settings", "status", "said"),
    [
        (["metrics=mine", OBJECTIVE, COLUMNS], 0, "4 runs"),
        (["metrics=mine", OBJECTIVE.replace("val", "test")], 2, "pairs that test the model"),
        (["metrics=yours"], 2, "metrics is one of mine, none"),
    ],
)
def test_a_metric_in_a_sweep(mine, settings, status, said):
    done = tripletlab(mine, "sweep", "--dry-run", *settings)
    assert done.returncode == status, done.stderr
    assert said in done.stderr


def test_the_help_lists_it(mine):
    said = tripletlab(mine, "train", "--help").stdout
    assert "the nearest negative of every pair" in said
    assert "strangers that are as close" in said


def test_without_the_folder_it_is_no_choice(mine):
    done = tripletlab(mine, "train", "miner=nearest", config_dir=False)
    assert done.returncode == 2
    assert "miner is one of" in done.stderr


def test_a_folder_that_is_not_there_is_one_line(mine):
    done = tripletlab(mine, "--config-dir", "nowhere", "train", config_dir=False)
    assert done.returncode == 2
    assert "no such folder" in done.stderr
